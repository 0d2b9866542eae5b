// Raw streams: attach with and without an upgrade, exec, logs, wait and events, with input and half-close.
import { filters, get, post, remove, type Scenario } from '../exchange.ts';

const cat = { Image: 'busybox', Cmd: ['cat'], OpenStdin: true, StdinOnce: true, AttachStdin: true };
const both = { Image: 'busybox', Cmd: ['sh', '-c', 'echo out; sleep 0.2; echo err >&2; sleep 0.2; exit 3'] };
const follow = 'stream=1&stdin=1&stdout=1&stderr=1';

export const streamScenarios: readonly Scenario[] = [
  {
    name: 'attach and logs',
    versions: 'newest',
    exchanges: [
      post('/containers/create?name=cat', cat),
      post(`/containers/cat/attach?${follow}`, undefined, {
        upgrade: 'tcp',
        input: 'through the pipe\n',
        during: [post('/containers/cat/start')],
      }),
      post('/containers/cat/wait'),
      get('/containers/cat/logs?stdout=1&stderr=1'),
      post('/containers/create?name=both', both),
      post('/containers/both/attach?stream=1&stdout=1&stderr=1', undefined, {
        input: '',
        during: [post('/containers/both/start')],
      }),
      post('/containers/both/wait'),
      get('/containers/both/logs?stdout=1&stderr=1'),
      get('/containers/both/logs?stdout=1&stderr=1&follow=1'),
      get('/containers/both/logs?stdout=1&tail=1'),
      get('/containers/both/logs?stderr=1&tail=0'),
      get('/containers/both/logs?stdout=1&tail=odd'),
      get('/containers/both/logs?stdout=1&since=odd'),
      get('/containers/both/logs?stdout=1&until=1'),
      get('/containers/both/logs?stdout=1&details=1&timestamps=1'),
      get('/containers/both/logs?stdout=0'),
      post('/containers/both/attach?logs=1&stdout=1&stderr=1', undefined, { upgrade: 'tcp' }),
      post('/containers/both/attach?detachKeys=odd-keys&stream=1', undefined, { upgrade: 'tcp' }),
      post('/containers/both/attach?logs=1&stdout=1&stderr=1', undefined, { input: '' }),
      get('/containers/both/attach/ws?logs=1&stdout=1', { upgrade: 'websocket', hangUpAfter: ['out'] }),
      get('/containers/both/attach/ws?logs=1&stdout=1'),
      get('/containers/both/json'),
      post('/containers/create?name=tty', { ...both, Tty: true }),
      post('/containers/tty/attach?stream=1&stdout=1&stderr=1', undefined, {
        upgrade: 'tcp',
        during: [post('/containers/tty/start')],
      }),
      post('/containers/tty/wait'),
      get('/containers/tty/logs?stdout=1'),
      get('/containers/tty/json'),
    ],
  },
  {
    name: 'wait',
    versions: 'newest',
    exchanges: [
      post('/containers/create?name=waiter', { Image: 'busybox', Cmd: ['sh', '-c', 'exit 7'] }),
      post('/containers/waiter/wait?condition=odd'),
      post('/containers/waiter/wait'),
      post('/containers/waiter/wait?condition=next-exit', undefined, { during: [post('/containers/waiter/start')] }),
      post('/containers/waiter/wait?condition=not-running'),
      post('/containers/waiter/wait?condition=removed', undefined, { during: [remove('/containers/waiter?force=1')] }),
      post('/containers/waiter/wait'),
      post('/containers/create?name=auto', { ...both, HostConfig: { AutoRemove: true } }),
      post('/containers/auto/wait?condition=removed', undefined, { during: [post('/containers/auto/start')] }),
      get('/containers/auto/json', { until: 404 }),
    ],
  },
  {
    name: 'exec',
    versions: 'newest',
    exchanges: [
      post('/containers/create?name=host', { Image: 'busybox', Cmd: ['sleep', '300'] }),
      post('/containers/host/start'),
      post('/containers/host/exec', {}),
      post('/containers/host/exec', { Cmd: [] }),
      post('/containers/host/exec'),
      post(
        '/containers/host/exec',
        { AttachStdout: true, AttachStderr: true, Env: ['E=5'], Cmd: ['sh', '-c', 'echo $E; echo err >&2; exit 4'] },
        { capture: { exec: ['Id'] } },
      ),
      get('/exec/{exec}/json'),
      post('/exec/{exec}/resize?h=x&w=10'),
      post('/exec/{exec}/start', { Detach: false, Tty: false }, { upgrade: 'tcp' }),
      get('/exec/{exec}/json', { until: '"Running":false' }),
      post('/exec/{exec}/start', { Detach: false }),
      post('/exec/{exec}/start', { Detach: true }),
      post(
        '/containers/host/exec',
        { AttachStdin: true, AttachStdout: true, Cmd: ['cat'] },
        { capture: { piped: ['Id'] } },
      ),
      post('/exec/{piped}/start', {}, { upgrade: 'tcp', input: 'into the exec\n' }),
      post(
        '/containers/host/exec',
        { AttachStdout: true, Tty: true, Cmd: ['sh', '-c', 'echo tty'] },
        { capture: { tty: ['Id'] } },
      ),
      post('/exec/{tty}/start', { Tty: true }, { upgrade: 'tcp' }),
      post('/containers/host/exec', { AttachStdout: true, Cmd: ['echo', 'x'] }, { capture: { old: ['Id'] } }),
      post('/exec/{old}/start', { Detach: false }, { input: '' }),
      post('/containers/host/exec', { Cmd: ['true'] }, { capture: { detached: ['Id'] } }),
      post('/exec/{detached}/start', { Detach: true }),
      get('/exec/{detached}/json', { until: '"Running":false' }),
      post('/containers/host/exec', { Cmd: ['/missing-program'], AttachStdout: true }, { capture: { bad: ['Id'] } }),
      post('/exec/{bad}/start', { Detach: false }),
      get('/exec/{bad}/json'),
      post('/containers/host/exec', { Cmd: ['true'], User: 'missing-user' }, { capture: { user: ['Id'] } }),
      post('/exec/{user}/start', { Detach: true }),
      get('/containers/host/json'),
      remove('/containers/host?force=1'),
      get('/exec/{exec}/json'),
    ],
  },
  {
    name: 'events',
    versions: 'newest',
    exchanges: [
      get(`/events?${filters({ type: ['container'], container: ['watched'] })}`, {
        hangUpAfter: ['destroy'],
        during: [
          post('/containers/create?name=watched', { ...both, Labels: { seen: 'yes' } }),
          post('/containers/watched/start'),
          post('/containers/watched/wait'),
          post('/containers/watched/rename?name=watched-2'),
          remove('/containers/watched-2'),
        ],
      }),
      get(`/events?${filters({ type: ['network', 'volume'], label: ['odd'] })}&since=1&until=2`),
      get(`/events?${filters({ event: ['create'], type: ['volume'] })}`, {
        hangUpAfter: ['watched-volume'],
        during: [post('/volumes/create', { Name: 'watched-volume' })],
      }),
      get(`/events?${filters({ type: ['network'], network: ['watched-net'] })}`, {
        hangUpAfter: ['destroy'],
        during: [
          post('/networks/create', { Name: 'watched-net', CheckDuplicate: true }),
          remove('/networks/watched-net'),
        ],
      }),
      get(`/events?${filters({ type: ['image'], event: ['tag', 'untag'] })}`, {
        hangUpAfter: ['"untag"'],
        during: [post('/images/busybox/tag?repo=watched&tag=1'), remove('/images/watched:1')],
      }),
    ],
  },
];

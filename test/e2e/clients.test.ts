// Programs that use the client libraries of Python and Node work as with one engine.
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { text as readText } from 'node:stream/consumers';
import Docker from 'dockerode';
import { after, before, describe, it } from 'mocha';
import { run } from '../support/rig/command.ts';
import { startRig, type Rig } from '../support/rig/rig.ts';

/** Each is a program with a client `c` and a running container `x`. */
const pythonPrograms: Readonly<Record<string, string>> = {
  'runs a container and reads its output': `
assert c.containers.run('busybox', 'echo hi', remove=True) == b'hi\\n'`,
  'learns the exit code and the words of a failure': `
try: c.containers.run('busybox', 'sh -c "echo no >&2; exit 5"', remove=True, stderr=True); assert False
except docker.errors.ContainerError as e: assert (e.exit_status, e.stderr) == (5, b'no\\n'), e`,
  'feeds an attached container and reads on after closing its input': `
y = c.containers.create('busybox', 'cat', stdin_open=True)
s = y.attach_socket(params={'stdin': 1, 'stdout': 1, 'stderr': 1, 'stream': 1})
y.start()
s._sock.sendall(b'hello\\n'); s._sock.shutdown(socket.SHUT_WR)
assert b''.join(d for _, d in frames_iter(s, tty=False)) == b'hello\\n'
assert y.wait()['StatusCode'] == 0
y.remove()`,
  'executes with separate streams': `
assert x.exec_run('sh -c "echo o; echo e >&2; exit 9"', demux=True) == (9, (b'o\\n', b'e\\n'))
assert b''.join(x.exec_run('sh -c "echo a; sleep 0.2; echo b"', stream=True)[1]) == b'a\\nb\\n'
s = x.exec_run('cat', socket=True, stdin=True)[1]
s._sock.sendall(b'ping'); s._sock.shutdown(socket.SHUT_WR)
assert b''.join(d for _, d in frames_iter(s, tty=False)) == b'ping'`,
  'follows logs': `
y = c.containers.run('busybox', 'sh -c "for i in 1 2 3; do echo $i; sleep 0.2; done"', detach=True)
assert b''.join(y.logs(stream=True, follow=True)) == b'1\\n2\\n3\\n'
y.remove(force=True)`,
  'builds, saves and loads an image': `
i, _ = c.images.build(fileobj=io.BytesIO(b'FROM busybox\\nRUN echo built > /b\\n'), tag='py:1', rm=True)
data = b''.join(i.save(named=True))
c.images.remove('py:1', force=True)
assert c.images.load(data)[0].id == i.id
assert c.containers.run('py:1', 'cat /b', remove=True) == b'built\\n'
c.images.remove('py:1')`,
  'shares volumes and networks between containers': `
n = c.networks.create('pynet'); v = c.volumes.create('pyvol')
y = c.containers.run('busybox', 'sh -c "echo 1 > /m/f; exec sleep 3600"', detach=True, name='pyy', network='pynet', volumes=['pyvol:/m'])
assert b'1 packets received' in c.containers.run('busybox', 'ping -c 1 pyy', network='pynet', remove=True)
y.remove(force=True)
assert c.containers.run('busybox', 'cat /m/f', volumes=['pyvol:/m'], remove=True) == b'1\\n'
n.remove(); v.remove()
try: c.networks.get(n.id); assert False
except docker.errors.NotFound: pass`,
  'copies files in both directions': `
b = io.BytesIO(); t = tarfile.open(fileobj=b, mode='w'); m = tarfile.TarInfo('f'); m.size = 5; t.addfile(m, io.BytesIO(b'12345')); t.close()
assert x.put_archive('/etc', b.getvalue())
bits, stat = x.get_archive('/etc/f')
assert (stat['name'], stat['size']) == ('f', 5)
assert tarfile.open(fileobj=io.BytesIO(b''.join(bits))).extractfile('f').read() == b'12345'`,
  'reads statistics and past events': `
assert x.stats(stream=False)['id'] == x.id
seen = list(c.events(since=0, until=int(time.time()) + 1, filters={'container': x.id, 'event': 'start'}, decode=True))
assert [e['Actor']['ID'] for e in seen] == [x.id], seen`,
  'waits for the next exit': `
y = c.containers.create('busybox', 'sh -c "exit 2"'); got = []
t = threading.Thread(target=lambda: got.append(y.wait(condition='next-exit', timeout=30))); t.start(); time.sleep(0.3); y.start(); t.join()
assert got[0]['StatusCode'] == 2, got
y.remove()`,
};

const pythonPrelude = `
import docker, io, socket, sys, tarfile, threading, time
from docker.utils.socket import frames_iter
c = docker.from_env(version='auto', timeout=60)
x = c.containers.get(sys.argv[1])
`;

describe('client libraries against a cluster', () => {
  let rig: Rig;
  let docker: Docker;
  let container: Docker.Container;

  before(async () => {
    // The old Compose is written in Python and brings the library.
    rig = await startRig({ engines: ['20.10', '20.10', '28.5'], needs: ['compose-v1'] });
    const [host = '', port = ''] = rig.manager.address.split(':');
    const protocol = isSecure() ? 'https' : 'http';
    docker = new Docker({ host, port: Number(port), protocol, ...rig.manager.pemTexts });
    container = await docker.createContainer({ Image: 'busybox', Cmd: ['sleep', '3600'], StopSignal: 'SIGKILL' });
    await container.start();
  });

  after(async () => {
    await rig.stop();
  });

  function isSecure(): boolean {
    return rig.manager.origin.startsWith('https:');
  }

  describe('docker for Python', () => {
    for (const [title, program] of Object.entries(pythonPrograms)) {
      it(title, async function () {
        // Python closes both directions of a TLS connection at once.
        if (isSecure() && program.includes('SHUT_WR')) this.skip();
        const script = `${pythonPrelude}${program}\n`;
        const env = rig.clients.environment();
        const { code, stderr } = await run('/usr/bin/python3', ['-c', script, container.id], { env });
        assert.equal(code, 0, stderr);
      });
    }
  });

  describe('dockerode', () => {
    it('runs a container with separate streams', async () => {
      const [out, errors] = [new PassThrough(), new PassThrough()];
      const command = ['sh', '-c', 'echo out; echo err >&2; exit 6'];
      const ended = docker.run('busybox', command, [out, errors], { Tty: false });
      const [result] = (await ended) as [{ StatusCode: number }, Docker.Container];
      assert.equal(result.StatusCode, 6);
      assert.deepEqual([String(out.read()), String(errors.read())], ['out\n', 'err\n']);
    });

    it('feeds an executed process over a hijacked connection', async () => {
      const exec = await container.exec({ Cmd: ['cat'], AttachStdin: true, AttachStdout: true, Tty: false });
      const stream = await exec.start({ hijack: true, stdin: true });
      const out = new PassThrough();
      docker.modem.demuxStream(stream, out, out);
      stream.on('end', () => out.end());
      stream.end('through');
      assert.equal(await readText(out), 'through');
    });

    it('follows the progress of a pull to its error', async () => {
      await assert.rejects(async () => {
        const stream = await docker.pull('missing/app:1');
        await new Promise((resolve, reject) => {
          docker.modem.followProgress(stream, (error, lines) => {
            if (error) reject(error);
            else resolve(lines);
          });
        });
      });
    });

    it('reads a file of a container as an archive', async () => {
      const archive = await container.getArchive({ path: '/etc/hostname' });
      assert.ok((await readText(archive)).startsWith('hostname'));
    });
  });
});

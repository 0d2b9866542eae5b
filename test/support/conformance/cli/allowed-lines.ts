// Lines that a stock client may print of a manager alone or of an engine alone, and why. One that is not listed fails
// the conformance test, and so does an entry that no longer occurs.
import type { DifferenceName } from '../known-differences.ts';
import type { FoundLine } from './found-line.ts';

export interface AllowedLine {
  readonly why: DifferenceName | 'chance';
  readonly scene: string;
  readonly command: RegExp;
  readonly line: RegExp;
}

export interface LineVerdict {
  readonly unknown: readonly FoundLine[];
  /** Entries that allowed nothing, though it is no chance whether they occur. */
  readonly unused: readonly AllowedLine[];
}

export function judgeLines(found: readonly FoundLine[], allowed: readonly AllowedLine[] = allowedLines): LineVerdict {
  const used = new Set<AllowedLine>();
  const unknown = found.filter(({ scene, command, line }) => {
    const entry = allowed.find((one) => one.scene === scene && one.command.test(command) && one.line.test(line));
    if (entry !== undefined) used.add(entry);
    return entry === undefined;
  });
  return { unknown, unused: allowed.filter((entry) => entry.why !== 'chance' && !used.has(entry)) };
}

type Row = readonly [scene: string, command: RegExp, line: RegExp];

const publishedEverywhere = /(?:0\.0\.0\.0|<host address>|\[?::\]?):8080/;
const refusedFilter = /^err: Error response from daemon: [Ii]nvalid filter 'nonsense'$/;

const rows: Readonly<Partial<Record<AllowedLine['why'], readonly Row[]>>> = {
  identity: [
    ['idle host', /^docker version$/, /^out: +(?:Server:|shoal:|containerd:|runc:|docker-init:)/],
    ['idle host', /^docker version$/, /^out: +(?:API version|Version|Go version|Git ?[Cc]ommit|Built):/],
    ['idle host', /^docker version$/, /^out: Server:/],
    ['idle host', /^docker info$/, /^out: +(?:Role|Strategy|Filters|Networks|Nodes|<node>|└ [A-Z]\w+(?: [A-Z]\w+)?):/],
    [
      'idle host',
      /^docker info$/,
      /^out: +(?:Server Version|CPUs|Total Memory|Name|ID|Docker Root Dir|Product License):/,
    ],
    [
      'idle host',
      /^docker info$/,
      /^out: +(?:Backing Filesystem|Supports d_type|Using metacopy|Native Overlay Diff|userxattr):/,
    ],
    ['idle host', /^docker info$/, /^out: +(?:runc version:|10\.\d+\.0\.0\/24$)/],
    [
      'idle host',
      /^docker info$/,
      /^err: .*(?:API is accessible|Access to the remote API|Docker daemon attack|go\/(?:api-security|attack-surface))/,
    ],
    [
      'idle host',
      /^DOCKER_API_VERSION=1\.(?:99|12) /,
      /^(?:out: CONTAINER ID|err: .*client version 1\.(?:99|12) is too|code: )/,
    ],
  ],
  names: [['lists', /^docker ps -a --no-trunc$/, /^out: <id> .*(?:first|second|third|fourth)$/]],
  lists: [['lists', /\{\{\.Labels\}\}/, /^out:/]],
  inspect: [['lists', /^docker (?:ps|port)/, publishedEverywhere]],
  events: [['events and usage', /^docker events .*event=rename$/, /^out: <time> container rename /]],
  copies: [
    ['images', /docker load$/, /^out: <node>: .*unexpected EOF$/],
    [
      'images',
      /^docker push nope:1$/,
      /^(?:out: The push refers to|err: .*(?:An image does not exist locally|No such image))/,
    ],
    [
      'images',
      /^docker rmi own:1 nope$/,
      /^(?:out: (?:Untagged: own:1|Deleted: sha256:<id>)|err: .*conflict: unable to remove repository reference "own:1")/,
    ],
    ['idle host', /^docker system df$/, /^out: Images {2}1 /],
    ['events and usage', /^docker system df$/, /^out: Images {2}1 /],
  ],
  nodes: [['idle host', /^docker node ls$/, /^(?:out: (?:ID|<uuid>)|err: .*This node is not a swarm manager|code: )/]],
  networks: [['networks', /network connect far server$/, /^(?:err: .*network far is local to node <node>|code: )/]],
  fullNodes: [
    ['run', /--cpus 1000/, /^err: .*(?:ange of CPUs|no resources available|1000 CPUs)/],
    ['run', /--gpus all/, /^err: .*(?:device driver|Unable to find a node|gpu\b|See 'docker run --help')/],
    ['run', /--runtime nope/, /^err: .*(?:runtime|Unable to find a node)/],
    ['run', /--platform/, /^err: .*(?:Unable to find (?:image|a node)|platform linux|registry-1)/],
  ],
  olderEngines: [
    [
      'lists',
      /^docker volume (?:prune -f|rm data)$/,
      /^(?:out: (?:Deleted Volumes:|data)?$|err: .*get data: no such volume|code: )/,
    ],
    ['run', /--network container:nope/, /^err: .*error waiting for container/],
  ],
  mistakes: [
    ['life', /^docker kill nope$/, /^err: .*No such container: nope$/],
    ['images', /^docker save nope$/, /^err: .*No such image: nope/],
    ['images', /^docker image inspect nope$/, /^err: .*[Nn]o such image: nope/],
    ['lists', /^docker inspect --type image second$/, /^err: .*[Nn]o such image: second/],
    ['images', /--filter nonsense=1$/, refusedFilter],
    ['lists', /--filter nonsense=1$/, refusedFilter],
    ['volumes', /--filter nonsense=1$/, refusedFilter],
    ['networks', /--filter nonsense=1$/, refusedFilter],
    ['lists', /^docker ps --filter (?:status|health)=nonsense$/, /^err: .*(?:nvalid filter|Unrecognised filter value)/],
    ['lists', /^docker ps --filter since=nope$/, /^err: .*[Nn]o such container:? nope$/],
  ],
  // What another release has saved lies in the context.
  mixed: [['images', /docker build -t built:1 \.$/, /^out: Sending build context to Docker daemon {2}2\.14/]],
  /** Of the clients themselves: who is quicker, and the order of maps. */
  chance: [
    ['run', /./, /^err: time="<time>" level=error msg="error waiting for container: context canceled"$/],
    ['copies', /^docker cp /, /^err: time="<time>" level=error msg="Can't .* closed pipe"$/],
    ['idle host', /^docker info$/, /^out: {2}Runtimes: /],
  ],
};

const allowedLines: readonly AllowedLine[] = Object.entries(rows).flatMap(([why, ofReason]) =>
  ofReason.map(([scene, command, line]) => ({ why: why as AllowedLine['why'], scene, command, line })),
);

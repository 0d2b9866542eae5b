// The checker of chaos runs must find each violation that it is there for, and nothing in a run without any.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { judgeFinalState, judgeHistory, measureService } from '../../../support/chaos/checker.ts';
import type {
  Belief,
  ClientAnswer,
  FinalState,
  History,
  SeenContainer,
  SeenVolume,
} from '../../../support/chaos/history.ts';

const web: SeenContainer = { node: 'node-1', id: 'a1', name: 'web', nonce: 'n1', isRunning: true };
const volume: SeenVolume = { node: 'node-1', name: 'data', content: 'n1' };
const created: Belief = {
  client: 'client-1',
  nonce: 'n1',
  names: ['web'],
  state: 'created',
  ids: new Set(['a1']),
  mayMove: true,
};
const moved: SeenContainer = { ...web, node: 'node-2', id: 'b2' };
const putAway: SeenContainer = { ...web, name: 'web.stale-node-1', isRunning: false };

interface Scene {
  readonly beliefs?: readonly Belief[];
  readonly everSeen?: readonly SeenContainer[];
  readonly everVolumes?: readonly SeenVolume[];
  readonly containers?: readonly SeenContainer[];
  readonly volumes?: readonly SeenVolume[];
  readonly views?: FinalState['views'];
}

function rulesOf({ beliefs = [created], everSeen = [], everVolumes = [], volumes = [], ...scene }: Scene): string[] {
  const { containers = [web], views = [] } = scene;
  return judgeFinalState({ beliefs, everSeen, everVolumes }, { containers, volumes, views }).map(({ rule }) => rule);
}

const quiet: History = {
  beliefs: [],
  answers: [],
  complaints: [],
  everSeen: [],
  everVolumes: [],
  writes: [],
  terms: [],
};
const answer: ClientAnswer = {
  client: 'client-1',
  operation: 'create',
  manager: 'manager-1',
  sentMs: 1_000,
  tookMs: 100,
  status: 201,
  message: undefined,
};

describe('the checker of a chaos run', () => {
  const right: readonly { readonly title: string; readonly scene: Scene }[] = [
    { title: 'a container that is there once', scene: { everSeen: [web] } },
    { title: 'one that moved, with its older copy put away', scene: { containers: [moved, putAway], everSeen: [web] } },
    {
      title: 'one that was removed, with an older copy left',
      scene: { beliefs: [{ ...created, state: 'removed' }], containers: [putAway], everSeen: [web, moved] },
    },
    {
      title: 'one whose renaming was never answered',
      scene: { beliefs: [{ ...created, names: ['old', 'web'] }] },
    },
    { title: 'a create that was refused', scene: { beliefs: [{ ...created, state: 'refused' }], containers: [] } },
    { title: 'a volume that is where it was', scene: { everVolumes: [volume], volumes: [volume] } },
    {
      title: 'a volume that was written to later',
      scene: { everVolumes: [{ ...volume, content: undefined }], volumes: [volume] },
    },
    {
      title: 'a manager that shows the truth',
      scene: { views: [{ manager: 'm', containers: [{ id: 'a1', name: 'web' }] }] },
    },
  ];
  for (const { title, scene } of right) {
    it(`finds nothing wrong with ${title}`, () => {
      assert.deepEqual(rulesOf(scene), []);
    });
  }

  const wrong: readonly { readonly rule: string; readonly scene: Scene }[] = [
    { rule: 'lost', scene: { containers: [] } },
    { rule: 'lost', scene: { containers: [putAway] } },
    {
      rule: 'doubled',
      scene: {
        containers: [
          { ...web, isRunning: false },
          { ...moved, name: 'other' },
        ],
      },
    },
    { rule: 'two run', scene: { containers: [moved, { ...putAway, isRunning: true }] } },
    { rule: 'another name', scene: { containers: [{ ...web, name: 'other' }] } },
    { rule: 'came back', scene: { beliefs: [{ ...created, state: 'removed' }] } },
    { rule: 'made though refused', scene: { beliefs: [{ ...created, state: 'refused' }] } },
    { rule: 'never settled', scene: { beliefs: [{ ...created, state: 'perhaps' }] } },
    { rule: 'never settled', scene: { beliefs: [{ ...created, state: 'removing' }], containers: [] } },
    { rule: 'removed by no client', scene: { containers: [moved], everSeen: [web] } },
    { rule: 'ambiguous name', scene: { containers: [web, { ...moved, nonce: 'n2' }] } },
    { rule: 'volume gone', scene: { everVolumes: [volume] } },
    { rule: 'volume changed', scene: { everVolumes: [volume], volumes: [{ ...volume, content: 'n2' }] } },
    { rule: 'volume doubled', scene: { volumes: [volume, { ...volume, node: 'node-2' }] } },
    { rule: 'wrong view', scene: { views: [{ manager: 'm', containers: [] }] } },
    { rule: 'wrong view', scene: { views: [{ manager: 'm', containers: [{ id: 'a1', name: 'other' }] }] } },
  ];
  for (const { rule, scene } of wrong) {
    it(`finds "${rule}": ${JSON.stringify(scene.beliefs?.[0]?.state ?? 'created')}`, () => {
      assert.deepEqual(rulesOf(scene), [rule]);
    });
  }

  it('finds a second writer, and whoever writes before there is a primary', () => {
    const terms = [
      { manager: 'manager-2', startMs: 20, term: 2 },
      { manager: 'manager-1', startMs: 10, term: 1 },
    ];
    const write = { node: 'node-1', what: 'POST /containers/create' };
    const good = [
      { ...write, manager: 'manager-1', atMs: 15 },
      { ...write, manager: 'manager-2', atMs: 25 },
    ];
    assert.deepEqual(judgeHistory({ ...quiet, terms, writes: good }), []);
    for (const atMs of [5, 21]) {
      const [found] = judgeHistory({ ...quiet, terms, writes: [...good, { ...write, manager: 'manager-1', atMs }] });
      assert.equal(found?.rule, 'two writers');
    }
  });

  it('finds answers that no Docker client expects', () => {
    const proper = [answer, { ...answer, status: 503, message: 'not now' }, { ...answer, status: 0 }];
    assert.deepEqual(judgeHistory({ ...quiet, answers: proper }), []);
    const improper = [
      { ...answer, status: 503 },
      { ...answer, status: 500, message: 'oh' },
      { ...answer, status: 404, message: 'no such image' },
    ];
    const found = judgeHistory({ ...quiet, answers: improper });
    assert.deepEqual(
      found.map(({ rule }) => rule),
      ['improper answer', 'improper answer', 'improper answer'],
    );
  });

  it('passes on what clients complain of', () => {
    const complaints = [{ atMs: 1, rule: 'not found', text: 'web' }];
    assert.deepEqual(judgeHistory({ ...quiet, complaints }), [{ rule: 'not found', text: 'web' }]);
  });

  it('measures the longest time in which a client was not served', () => {
    const answers = [
      answer,
      { ...answer, sentMs: 2_000, status: 503 },
      { ...answer, sentMs: 3_000, tookMs: 2_000 },
      { ...answer, sentMs: 5_000, status: 409 },
    ];
    assert.deepEqual(measureService(answers), [
      { client: 'client-1', answers: 4, availability: 0.75, longestGapMs: 3_900, longestGapAtMs: 1_100 },
    ]);
  });
});

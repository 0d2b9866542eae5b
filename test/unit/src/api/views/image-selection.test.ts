import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { imageSelection } from '../../../../../src/api/views/image-selection.ts';
import { ApiError } from '../../../../../src/common/errors.ts';
import { parseFilters } from '../../../../../src/docker/filters.ts';
import type { ImageRow } from '../../../../../src/docker/types.ts';

const now = 1_700_000_000_000;
const digest = `@sha256:${'1'.repeat(64)}`;

const tagged: ImageRow = {
  Id: 'a',
  RepoTags: ['busybox:latest', 'busybox:1.36', 'host:5000/team/app:2'],
  RepoDigests: [`busybox${digest}`],
  Created: 1_699_999_000,
  Labels: { tier: 'web' },
};
const pinned: ImageRow = { Id: 'b', RepoTags: [], RepoDigests: [`alpine${digest}`], Created: 1 };
const nameless: ImageRow = { Id: 'c', RepoTags: ['<none>:<none>'], RepoDigests: ['<none>@<none>'], Created: 1 };

function names(filters: object, row: ImageRow): readonly string[] | undefined {
  const shown = imageSelection(parseFilters(JSON.stringify(filters)), now)(row);
  return shown && [...(shown.RepoTags ?? []), ...(shown.RepoDigests ?? [])];
}

describe('the selection of images', () => {
  for (const [pattern, expected] of [
    ['busybox', ['busybox:latest', 'busybox:1.36', `busybox${digest}`]],
    ['busybox:latest', ['busybox:latest']],
    ['busybox:1.*', ['busybox:1.36']],
    ['busy*', ['busybox:latest', 'busybox:1.36', `busybox${digest}`]],
    ['docker.io/library/busybox:1.36', ['busybox:1.36']],
    ['host:5000/team/app', ['host:5000/team/app:2']],
    ['host:5000/*/app:2', ['host:5000/team/app:2']],
    ['*', ['busybox:latest', 'busybox:1.36', `busybox${digest}`]],
    ['*/*/*', ['host:5000/team/app:2']],
    ['alpine', undefined],
    ['busybo', undefined],
  ] as const) {
    it(`by the reference ${pattern} shows ${expected === undefined ? 'nothing' : expected.join(' ')}`, () => {
      assert.deepEqual(names({ reference: [pattern] }, tagged), expected);
    });
  }

  const cases: readonly (readonly [object, ImageRow, boolean])[] = [
    [{ reference: ['alpine'] }, pinned, true],
    [{ reference: ['nope', 'busybox'] }, tagged, true],
    [{ reference: ['*'] }, nameless, false],
    [{ dangling: ['true'] }, tagged, false],
    [{ dangling: ['true'] }, pinned, true],
    [{ dangling: ['true'] }, nameless, true],
    [{ dangling: ['false'] }, tagged, true],
    [{ dangling: ['0'] }, pinned, true],
    [{ dangling: ['false'] }, nameless, false],
    [{ label: ['tier'] }, tagged, true],
    [{ label: ['tier=web'] }, tagged, true],
    [{ label: ['tier=db'] }, tagged, false],
    [{ label: ['tier'] }, nameless, false],
    [{ 'label!': ['tier'] }, tagged, false],
    [{ 'label!': ['tier'] }, nameless, true],
    [{ until: ['1699998999'] }, tagged, false],
    [{ until: ['1699999000'] }, tagged, true],
    [{ until: ['10m'] }, tagged, true],
    [{ until: ['1h'] }, tagged, false],
  ];
  for (const [filters, row, isShown] of cases) {
    it(`with ${JSON.stringify(filters)} ${isShown ? 'shows' : 'hides'} ${row.Id}`, () => {
      assert.equal(names(filters, row) !== undefined, isShown);
    });
  }

  for (const filters of [{ dangling: ['maybe'] }, { until: ['soon'] }, { reference: ['[a'] }]) {
    it(`refuses ${JSON.stringify(filters)}`, () => {
      assert.throws(
        () => names(filters, tagged),
        (error) => error instanceof ApiError && error.status === 400,
      );
    });
  }
});

import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { routes } from '../../../../src/api/routes.ts';
import { isMutating, routeName, verbOf } from '../../../../src/api/verbs.ts';

describe('verbs', () => {
  it('are known of every route', () => {
    assert.deepEqual(routes.filter((route) => verbOf(route) === 'unknown').map(routeName), []);
  });

  it('that only look at things are those of calls that change nothing', () => {
    const looking = routes.filter((route) => ['read', 'logs', 'free'].includes(verbOf(route)));
    assert.deepEqual(looking.filter(isMutating).map(routeName), []);
  });

  it('that change things are recorded', () => {
    const silent = routes
      .filter((route) => !isMutating(route))
      .map((route) => [routeName(route), verbOf(route)] as const);
    assert.deepEqual(
      silent.filter(([, verb]) => !['read', 'logs', 'free'].includes(verb)).map(([name]) => name),
      [
        'POST /auth',
        'HEAD /containers/{name*}/archive',
        'GET /containers/{name*}/archive',
        'GET /containers/{name*}/export',
        'GET /images/get',
        'GET /images/{name*}/get',
        'GET /swarm/unlockkey',
      ].sort((a, b) => silent.findIndex(([name]) => name === a) - silent.findIndex(([name]) => name === b)),
    );
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { cleanedPath, compileRoutes, parseRequestTarget } from '../../../../src/api/match.ts';
import { routes } from '../../../../src/api/routes.ts';

const match = compileRoutes(routes);

describe('route matching', () => {
  const cases: readonly (readonly [string, string, string | undefined, Record<string, string>?])[] = [
    ['GET', '/_ping', '/_ping'],
    ['HEAD', '/_ping', '/_ping'],
    ['GET', '/containers/json', '/containers/json'],
    ['GET', '/containers/web/json', '/containers/{name*}/json', { name: 'web' }],
    ['GET', '/containers/node-1/web/json', '/containers/{name*}/json', { name: 'node-1/web' }],
    ['GET', '/containers/json/json', '/containers/{name*}/json', { name: 'json' }],
    ['GET', '/containers/a/attach/ws', '/containers/{name*}/attach/ws', { name: 'a' }],
    ['POST', '/containers/create', '/containers/create'],
    ['POST', '/containers/n/c/start', '/containers/{name*}/start', { name: 'n/c' }],
    ['DELETE', '/containers/n/c', '/containers/{name*}', { name: 'n/c' }],
    ['DELETE', '/containers/', '/containers/{name*}', { name: '' }],
    [
      'DELETE',
      '/containers/n/c/checkpoints/one',
      '/containers/{name*}/checkpoints/{checkpoint}',
      { name: 'n/c', checkpoint: 'one' },
    ],
    ['GET', '/images/reg:5000/a/b:tag/json', '/images/{name*}/json', { name: 'reg:5000/a/b:tag' }],
    ['GET', '/images/get', '/images/get'],
    ['GET', '/images/a/get', '/images/{name*}/get', { name: 'a' }],
    ['GET', '/networks/', '/networks/'],
    ['GET', '/networks/n/x', '/networks/{name*}', { name: 'n/x' }],
    ['GET', '/nodes/n1', '/nodes/{id}', { id: 'n1' }],
    ['GET', '/nodes/n1/x', undefined],
    ['GET', '/nodes/', undefined],
    ['GET', '/containers/json/', undefined],
    ['GET', '/containers/ps', undefined],
    ['POST', '/containers/web/json', undefined],
    ['HEAD', '/containers/json', undefined],
    ['PATCH', '/containers/json', undefined],
    ['GET', '/', undefined],
    ['GET', '/debug/pprof', undefined],
    ['POST', '/exec/abc/start', '/exec/{id*}/start', { id: 'abc' }],
  ];
  for (const [method, path, pattern, params = {}] of cases) {
    it(`sends ${method} ${path} to ${pattern ?? 'nowhere'}`, () => {
      const found = match(method, path);

      assert.equal(found?.route.pattern, pattern);
      if (found) assert.deepEqual(found.params, params);
    });
  }

  it('lists no operation twice', () => {
    const keys = routes.map(({ method, pattern }) => `${method} ${pattern}`);

    assert.equal(new Set(keys).size, keys.length);
  });

  it('has the operations of the API and those that dockerd serves without describing them', () => {
    assert.equal(routes.length, 113);
  });
});

describe('request targets', () => {
  const cases: readonly (readonly [string, string | undefined, string, string])[] = [
    ['/v1.41/containers/json?all=1', '1.41', '/containers/json', 'all=1'],
    ['/containers/json', undefined, '/containers/json', ''],
    ['/v1.41', undefined, '/v1.41', ''],
    ['/v1..4/info', '1..4', '/info', ''],
    ['/version', undefined, '/version', ''],
    ['/v/info', undefined, '/v/info', ''],
    ['/containers/a%2Fb/json', undefined, '/containers/a/b/json', ''],
    ['/images/x%40sha256:1/json?a=%20b?c', undefined, '/images/x@sha256:1/json', 'a=%20b?c'],
    ['http://host:2375/v1.24/info?x', '1.24', '/info', 'x'],
  ];
  for (const [url, version, path, search] of cases) {
    it(`takes ${url} apart`, () => {
      assert.deepEqual(parseRequestTarget(url), { version, path, search });
    });
  }

  it('refuses broken percent-encoding with 400', () => {
    assert.throws(() => parseRequestTarget('/containers/%zz/json'), { status: 400 });
  });
});

describe('path cleaning', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['/containers/json', undefined],
    ['/networks/', undefined],
    ['//containers//json?a=//', '/containers/json?a=//'],
    ['/v1.41//info', '/v1.41/info'],
    ['/a/../info', '/info'],
    ['/./info', '/info'],
    ['/a//', '/a/'],
    ['//', '/'],
    ['/containers/..a/json', undefined],
    ['/info?x=//', undefined],
    ['/v1.41/containers/%2Fweb/json?size=1', '/v1.41/containers/web/json?size=1'],
    ['/containers/a%2F%2Fb%3F/json', '/containers/a/b%3F/json'],
    ['/containers/a%2Fb/json', undefined],
  ];
  for (const [url, cleaned] of cases) {
    it(`turns ${url} into ${cleaned ?? 'nothing else'}`, () => {
      assert.equal(cleanedPath(url), cleaned);
    });
  }
});

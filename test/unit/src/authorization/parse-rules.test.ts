import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'mocha';
import { parseRules } from '../../../../src/authorization/parse-rules.ts';
import {
  describeCaller,
  hazards,
  includesNode,
  revocationOf,
  ruleFor,
  tokenNamed,
  verbs,
  type Caller,
} from '../../../../src/authorization/rules.ts';

const hash = (token: string): Buffer => createHash('sha256').update(token).digest();

const file = `
tokens:
  ci: sha256:${hash('secret of ci').toString('hex')}
revoked: [name:bob, "serial:0a:1B"]
managers: name:manager
rules:
  - name: operators
    who: [unit:ops, local]
    allow: all
  - name: developers
    who:
      - name:ann
      - token:ci
    allow: [read, create]
    labels: { team: web, tier: 1 }
    nodes: [node-1, web-*.lan]
    forbid: [privileged, host-mounts]
    mounts: /srv/web
  - { name: everybody else, who: anyone, allow: read, forbid: all }
`;

const none = { serial: '1', fingerprint: 'F', units: [] };

describe('the file of rules', () => {
  const rules = parseRules(file);

  it('says who may do what, where, and what not', () => {
    const [operators, developers, others] = rules.rules;
    assert.deepEqual([...operators!.verbs], verbs);
    assert.deepEqual([...developers!.verbs], ['read', 'create']);
    assert.deepEqual(developers!.labels, { team: 'web', tier: '1' });
    assert.deepEqual([developers!.nodes, developers!.mounts], [['node-1', 'web-*.lan'], ['/srv/web']]);
    assert.deepEqual([...developers!.forbidden], ['privileged', 'host-mounts']);
    assert.deepEqual([...others!.forbidden], hazards);
  });

  const callers: readonly { readonly title: string; readonly caller: Caller; readonly rule: string }[] = [
    {
      title: 'a unit',
      caller: { certificate: { ...none, name: 'x', units: ['a', 'ops'] }, address: 'a' },
      rule: 'operators',
    },
    { title: 'a unix socket', caller: { address: undefined }, rule: 'operators' },
    { title: 'a name', caller: { certificate: { ...none, name: 'ann' }, address: 'a' }, rule: 'developers' },
    { title: 'a token', caller: { token: 'ci', address: 'a' }, rule: 'developers' },
    { title: 'another name', caller: { certificate: { ...none, name: 'Ann' }, address: 'a' }, rule: 'everybody else' },
    { title: 'nobody', caller: { address: 'a' }, rule: 'everybody else' },
    {
      title: 'two rules: the first',
      caller: { certificate: { ...none, name: 'ann', units: ['ops'] }, address: 'a' },
      rule: 'operators',
    },
  ];
  for (const { title, caller, rule } of callers) {
    it(`names ${title}`, () => {
      assert.equal(ruleFor(rules, caller)?.name, rule);
    });
  }

  it('names nobody whom it does not name', () => {
    assert.equal(ruleFor({ ...rules, rules: rules.rules.slice(0, 2) }, { address: 'a' }), undefined);
  });

  it('revokes by name and by serial number, however that is written', () => {
    const bob = { certificate: { ...none, name: 'bob' }, address: 'a' };
    const stolen = { certificate: { ...none, name: 'carol', serial: '0A1B' }, address: 'a' };
    assert.deepEqual(revocationOf(rules, bob), { kind: 'name', value: 'bob' });
    assert.deepEqual(revocationOf(rules, stolen), { kind: 'serial', value: '0A1B' });
    assert.equal(revocationOf(rules, { address: 'a' }), undefined);
  });

  it('knows a token by its hash alone', () => {
    assert.equal(tokenNamed(rules, hash('secret of ci')), 'ci');
    assert.equal(tokenNamed(rules, hash('secret of c')), undefined);
  });

  it('has nodes by name and by pattern', () => {
    const developers = rules.rules[1]!;
    const seen = ['node-1', 'node-11', 'web-7.lan', 'web-7xlan', 'xweb-7.lan'].filter((name) =>
      includesNode(developers, name),
    );
    assert.deepEqual(seen, ['node-1', 'web-7.lan']);
    assert.ok(includesNode(rules.rules[0]!, 'any'));
  });

  it('may be JSON', () => {
    const json = JSON.stringify({ rules: [{ name: 'a', who: ['anyone'], allow: ['read'] }] });
    assert.equal(parseRules(json).rules[0]?.name, 'a');
  });

  it('calls people by their certificates and tokens', () => {
    const certificate = { ...none, name: 'ann' };
    assert.equal(describeCaller({ certificate, token: 'ci', address: 'a' }), 'ann with token ci');
    assert.equal(describeCaller({ address: 'a' }), 'anonymous');
    assert.equal(describeCaller({ address: undefined }), 'local');
  });

  const rule = (extra: string): string => `rules:\n  - name: a\n    who: anyone\n    allow: read\n${extra}`;
  const mistakes: readonly (readonly [title: string, text: string, says: RegExp])[] = [
    ['that is no YAML', 'rules:\n  - name: [a\n', /^line \d+: /],
    ['that is a list', '- a\n', /^line 1: the file must be names with values/],
    ['that is empty', '', /^line 1: the file must be/],
    ['without rules', 'revoked: []\n', /^line 1: there is no member "rules"/],
    [
      'with a word of its own',
      'rules: []\nroles: []\n',
      /^line 2: "roles" is no member of the file: tokens, revoked, managers, agents, rules/,
    ],
    [
      'with an unknown member of a rule',
      rule('    lables: {}\n'),
      /^line 5: "lables" is no member of a rule: name, who/,
    ],
    [
      'with a rule without a name',
      'rules:\n  - who: anyone\n    allow: read\n',
      /^line 2: a rule has no member "name"/,
    ],
    ['with an unknown verb', rule('').replace('read', 'reed'), /^line 4: "reed" is none of read, logs/],
    [
      'with an unknown hazard',
      rule('    forbid: [privileged,\n      host]\n'),
      /^line 6: "host" is none of privileged/,
    ],
    ['with a caller that is none', rule('').replace('anyone', 'cn:ann'), /^line 3: "cn:ann" names nobody: anyone/],
    ['with a token that is none', rule('').replace('anyone', 'token:x'), /^line 3: there is no token "x"/],
    [
      'with a token in place of its hash',
      'tokens:\n  ci: secret\nrules: []\n',
      /^line 2: the token ci must be "sha256:"/,
    ],
    ['with a path that is relative', rule('    mounts: [srv]\n'), /^line 5: "srv" is no absolute path/],
    ['with a member twice', rule('    allow: all\n'), /^line 5: .*unique/],
    ['with labels that are a list', rule('    labels: [a]\n'), /^line 5: labels must be names with values/],
  ];
  for (const [title, text, says] of mistakes) {
    it(`${title} is refused with the line`, () => {
      assert.throws(
        () => parseRules(text),
        (error: Error) => says.test(error.message) && !error.message.includes('secret'),
      );
    });
  }
});

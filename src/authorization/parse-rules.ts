// Reads the file of rules, YAML or JSON. What is not understood is refused with its line: a rule that is passed over
// in silence would let somebody in.
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Node, type YAMLMap } from 'yaml';
import { hazards, verbs, type Name, type Rule, type Rules, type Token } from './rules.ts';

/** Throws "line N: ..." for the first mistake. */
export function parseRules(text: string): Rules {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => `line ${lines.linePos(offset).line}`;
  const [broken] = document.errors;
  if (broken !== undefined) throw new Error(`${at(broken.pos[0])}: ${broken.message}`);
  const reader = new Reader((node, message) => new Error(`${at(node?.range?.[0] ?? 0)}: ${message}`));
  return reader.rules(document.contents);
}

type Mistake = (node: Node | null | undefined, message: string) => Error;

class Reader {
  readonly #mistake: Mistake;

  constructor(mistake: Mistake) {
    this.#mistake = mistake;
  }

  rules(node: Node | null): Rules {
    const top = this.#members(node, ['tokens', 'revoked', 'managers', 'agents', 'rules'], 'the file');
    const tokens = this.#map(top.get('tokens'), 'tokens').map(([name, value]) => this.#token(name, value));
    const known = new Set(tokens.map(({ name }) => name));
    const rules = this.#list(top.get('rules'), 'rules').map((entry) => this.#rule(entry, known));
    const revoked = this.#list(top.get('revoked'), 'revoked').map((entry) => this.#name(entry, known));
    if (!top.has('rules')) throw this.#mistake(node, 'there is no member "rules"');
    const managers = this.#list(top.get('managers'), 'managers').map((entry) => this.#name(entry, known));
    const agents = top.has('agents')
      ? this.#list(top.get('agents'), 'agents').map((entry) => this.#name(entry, known))
      : undefined;
    return { tokens, revoked, managers, agents, rules };
  }

  #token(name: string, value: Node | null): Token {
    const digest = /^sha256:([0-9a-fA-F]{64})$/.exec(this.#text(value, `the token ${name}`))?.[1];
    if (digest === undefined)
      throw this.#mistake(value, `the token ${name} must be "sha256:" and 64 hexadecimal digits, not the token itself`);
    return { name, hash: Buffer.from(digest, 'hex') };
  }

  #rule(node: Node | null, tokens: ReadonlySet<string>): Rule {
    const members = this.#members(node, ['name', 'who', 'allow', 'labels', 'nodes', 'forbid', 'mounts'], 'a rule');
    for (const required of ['name', 'who', 'allow'])
      if (!members.has(required)) throw this.#mistake(node, `a rule has no member "${required}"`);
    const mounts = this.#texts(members.get('mounts'), 'mounts');
    const [relative] = mounts.filter(([path]) => !path.startsWith('/'));
    if (relative !== undefined) throw this.#mistake(relative[1], `"${relative[0]}" is no absolute path`);
    const allowed = this.#choices(members.get('allow'), 'allow', [...verbs, 'all']);
    return {
      name: this.#text(members.get('name'), 'name'),
      who: this.#list(members.get('who'), 'who').map((entry) => this.#name(entry, tokens)),
      verbs: new Set(verbs.filter((verb) => allowed.includes('all') || allowed.includes(verb))),
      labels: Object.fromEntries(
        this.#map(members.get('labels'), 'labels').map(([key, value]) => [key, this.#text(value, `the label ${key}`)]),
      ),
      nodes: this.#texts(members.get('nodes'), 'nodes').map(([name]) => name),
      forbidden: new Set(this.#hazards(members.get('forbid'))),
      mounts: mounts.map(([path]) => path),
    };
  }

  #hazards(node: Node | null | undefined): Rule['forbidden'] {
    const chosen = this.#choices(node, 'forbid', [...hazards, 'all']);
    return new Set(hazards.filter((hazard) => chosen.includes('all') || chosen.includes(hazard)));
  }

  #name(node: Node | null, tokens: ReadonlySet<string>): Name {
    const text = this.#text(node, 'a caller');
    if (text === 'anyone' || text === 'local') return { kind: text };
    const [, kind = '', value = ''] = /^([a-z]+):(.+)$/s.exec(text) ?? [];
    switch (kind) {
      case 'name':
      case 'unit':
        return { kind, value };
      case 'serial':
      case 'fingerprint':
        return { kind, value: value.replaceAll(':', '').toUpperCase() };
      case 'token':
        if (!tokens.has(value)) throw this.#mistake(node, `there is no token "${value}"`);
        return { kind, value };
      default:
        throw this.#mistake(
          node,
          `"${text}" names nobody: anyone, local, or name:, unit:, serial:, fingerprint: or token: and a value`,
        );
    }
  }

  #choices(node: Node | null | undefined, what: string, accepted: readonly string[]): readonly string[] {
    return this.#texts(node, what).map(([text, entry]) => {
      if (accepted.includes(text)) return text;
      throw this.#mistake(entry, `"${text}" is none of ${accepted.join(', ')}`);
    });
  }

  /** The texts of a list, each with where it stands; a single text counts as a list of one. */
  #texts(node: Node | null | undefined, what: string): (readonly [string, Node | null])[] {
    return this.#list(node, what).map((entry) => [this.#text(entry, what), entry]);
  }

  #text(node: Node | null | undefined, what: string): string {
    if (isScalar(node) && typeof node.value === 'string' && node.value !== '') return node.value;
    // YAML reads a label such as "1" or "true" as something else, but it is written in the file.
    if (isScalar(node) && (typeof node.value === 'number' || typeof node.value === 'boolean'))
      return node.source ?? String(node.value);
    throw this.#mistake(node, `${what} must be text`);
  }

  #list(node: Node | null | undefined, what: string): readonly (Node | null)[] {
    if (node === undefined) return [];
    if (isScalar(node) && typeof node.value === 'string') return [node];
    if (isSeq<Node | null>(node)) return node.items;
    throw this.#mistake(node, `${what} must be a list`);
  }

  #map(node: Node | null | undefined, what: string): (readonly [string, Node | null])[] {
    if (node === undefined) return [];
    if (!isMap(node)) throw this.#mistake(node, `${what} must be names with values`);
    return (node as YAMLMap<Node, Node | null>).items.map(({ key, value }) => [this.#text(key, what), value]);
  }

  #members(node: Node | null, accepted: readonly string[], what: string): ReadonlyMap<string, Node | null> {
    const members = this.#map(node, what);
    for (const [name, value] of members)
      if (!accepted.includes(name))
        throw this.#mistake(value, `"${name}" is no member of ${what}: ${accepted.join(', ')}`);
    return new Map(members);
  }
}

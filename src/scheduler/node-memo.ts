// Remembers what was found out by looking through all containers of a node, until the node's containers change.
// A rule that many containers carry ("not beside web*") then costs one look per node, however full the nodes are.
import type { Node } from './contracts.ts';

interface Kept<Answer> {
  readonly revision: number;
  readonly answer: Answer;
}

/** Rules beyond that number push out the one that was asked longest ago. */
const mostQuestions = 128;

export class NodeMemo<Answer> {
  readonly #answers = new Map<string, WeakMap<Node, Kept<Answer>>>();

  /** A function that answers as `question` does; `key` must tell questions apart that differ. */
  remember(key: string, question: (node: Node) => Answer): (node: Node) => Answer {
    const answers = this.#answersTo(key);
    return (node) => {
      const revision = node.containersRevision;
      if (revision === undefined) return question(node);
      const known = answers.get(node);
      if (known?.revision === revision) return known.answer;
      const answer = question(node);
      answers.set(node, { revision, answer });
      return answer;
    };
  }

  #answersTo(key: string): WeakMap<Node, Kept<Answer>> {
    const answers = this.#answers.get(key) ?? new WeakMap<Node, Kept<Answer>>();
    this.#answers.delete(key);
    this.#answers.set(key, answers);
    const oldest = this.#answers.keys().next().value;
    if (this.#answers.size > mostQuestions && oldest !== undefined) this.#answers.delete(oldest);
    return answers;
  }
}

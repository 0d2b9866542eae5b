// What a client printed, freed of what differs by nature between two hosts and two moments; and the lines in which two
// transcripts differ.
import type { CommandResult } from '../../rig/command.ts';
import { normalisedText } from '../normalised-text.ts';

export interface DifferentLine {
  /** Who alone has printed it. */
  readonly side: 'engine' | 'manager';
  readonly line: string;
}

export function transcriptOf({ code, stdout, stderr }: CommandResult): string[] {
  return [...linesOf('out', stdout), ...linesOf('err', stderr), `code: ${code}`];
}

/** In the order of the transcripts; those that both hold in one order are none. */
export function differentLines(engine: readonly string[], manager: readonly string[]): DifferentLine[] {
  const lengths = commonLengths(engine, manager);
  const different: DifferentLine[] = [];
  let [ofEngine, ofManager] = [0, 0];
  while (ofEngine < engine.length || ofManager < manager.length) {
    const [line, other] = [engine[ofEngine], manager[ofManager]];
    if (line !== undefined && line === other) {
      ofEngine += 1;
      ofManager += 1;
    } else if (line !== undefined && lengthAt(ofEngine + 1, ofManager) >= lengthAt(ofEngine, ofManager + 1)) {
      different.push({ side: 'engine', line });
      ofEngine += 1;
    } else {
      different.push({ side: 'manager', line: other ?? '' });
      ofManager += 1;
    }
  }
  return different;

  function lengthAt(row: number, column: number): number {
    return lengths[row]?.[column] ?? -1;
  }
}

/** The longest common sequence of lines from each pair of places on. */
function commonLengths(a: readonly string[], b: readonly string[]): number[][] {
  const lengths = Array.from({ length: a.length + 1 }, () => Array.from({ length: b.length + 1 }, () => 0));
  for (let row = a.length - 1; row >= 0; row -= 1) {
    for (let column = b.length - 1; column >= 0; column -= 1) {
      const [below, right, diagonal] = [
        lengths[row + 1]?.[column],
        lengths[row]?.[column + 1],
        lengths[row + 1]?.[column + 1],
      ];
      lengths[row]![column] = a[row] === b[column] ? (diagonal ?? 0) + 1 : Math.max(below ?? 0, right ?? 0);
    }
  }
  return lengths;
}

function linesOf(stream: 'out' | 'err', text: string): string[] {
  const lines = text.split('\n').map((line) => shown(line));
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => `${stream}: ${line}`);
}

/** Of tables, the width of columns hangs on what stands in them. */
function shown(line: string): string {
  let result = normalisedText(line.trimEnd().replace(/ {2,}/g, '  '));
  for (const [pattern, replacement] of moments) result = result.replace(pattern, replacement);
  return result;
}

const moments: readonly (readonly [RegExp, string])[] = [
  [/\b20\d\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?: [+-]\d{4})?(?: [A-Z]+)?/g, '<time>'],
  [/\b[0-9a-f]{64}\b/g, '<id>'],
  [/\b10\.\d+\.0\.1\d\b/g, '<host address>'],
  [/\bnode-\d+\b/g, '<node>'],
  [/\/tmp\/shoal-scenes-\w+\/[\w-]+/g, '<folder>'],
  [/\b(?:Sun|Mon|Tue|Wed|Thu|Fri|Sat) [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d 20\d\d/g, '<time>'],
];

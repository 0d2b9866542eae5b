// Labels of the node from a file or a script: lines of KEY=VALUE, `#` begins a comment. What cannot be read changes nothing.
import { execFile } from 'node:child_process';

/** The labels of `text`; a line without a key is left out, one without "=" has the value "". */
export function parseLabels(text: string): Readonly<Record<string, string>> {
  const labels = text.split(/\r?\n/).flatMap((line): [string, string][] => {
    const [, key, value = ''] = /^\s*([^#=\s][^=]*?)\s*(?:=\s*(.*?))?\s*$/.exec(line) ?? [];
    return key === undefined ? [] : [[key, value]];
  });
  return Object.fromEntries(labels);
}

const maxOutputBytes = 64 * 1024;

/** What the program at `path` prints. Rejects when it fails, says too much or takes longer than `timeoutMs`. */
export function runLabelScript(path: string, timeoutMs: number, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: maxOutputBytes, signal } as const;
    const child = execFile(path, options, (error, out) => {
      if (error === null) resolve(out);
      else reject(error.killed === true ? new Error(`${path} takes longer than ${timeoutMs} ms`) : error);
    });
    child.stdin?.end();
  });
}

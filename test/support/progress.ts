// Answers that are streams of JSON objects, as tests look at them: supertest takes the whole answer for one value.
import type { Response, Test } from 'supertest';

export interface ProgressLine {
  readonly id?: string;
  readonly status?: string;
  readonly stream?: string;
  readonly error?: string;
  readonly errorDetail?: { readonly code?: number; readonly message: string };
  readonly aux?: unknown;
}

/** Sends the request; resolves with the objects of the whole answer. Rejects when a line is no JSON, or the status is not 200. */
export async function progressOf(request: Test): Promise<ProgressLine[]> {
  const answer = await request.buffer().parse(readText);
  const text = String(answer.body);
  if (answer.status !== 200) throw new Error(`the answer is ${answer.status}: ${text}`);
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as ProgressLine);
}

function readText(response: Response, done: (error: Error | null, body: string) => void): void {
  let text = '';
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    text += chunk;
  });
  response.on('end', () => {
    done(null, text);
  });
}

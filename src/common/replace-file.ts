// A file that is written anew as a whole: whoever reads it finds the old text or the new one, never a part.
import { rename, rm, writeFile } from 'node:fs/promises';

/** Readable for its owner alone. When it rejects the old text stands, and nothing is left beside it. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.tmp`;
  try {
    await writeFile(draft, text, { mode: 0o600 });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw error;
  }
}

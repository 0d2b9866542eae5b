// Paused containers: the kernel does not let a frozen process die, not even with the machine that it is on.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';

const root = '/sys/fs/cgroup';

/** Lets everything below this cgroup (relative to the root of each controller) go on. */
export function thaw(cgroup: string): void {
  thawBelow(`${root}/freezer${cgroup}`, { file: 'freezer.state', word: 'THAWED' });
  thawBelow(`${root}${cgroup}`, { file: 'cgroup.freeze', word: '0' });
}

function thawBelow(directory: string, state: { readonly file: string; readonly word: string }): void {
  if (!existsSync(directory)) return;
  try {
    if (existsSync(`${directory}/${state.file}`)) writeFileSync(`${directory}/${state.file}`, state.word);
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (entry.isDirectory()) thawBelow(`${directory}/${entry.name}`, state);
    }
  } catch {
    // It is gone, with whatever was in it.
  }
}

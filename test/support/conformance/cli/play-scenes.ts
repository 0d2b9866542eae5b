// Plays scenes with one client against one target, in order, each on a swept host and in a folder of its own.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clients } from '../../rig/clients.ts';
import { sweep } from '../sweep.ts';
import type { Cli, PlayedCommand, Scene } from './scene.ts';
import { transcriptOf } from './transcript.ts';

export interface Stage {
  readonly clients: Clients;
  readonly cli: Cli;
  /** "HOST:PORT" of the engine or of the manager. */
  readonly address: string;
}

export async function playScenes({ clients, cli, address }: Stage, scenes: readonly Scene[]): Promise<PlayedCommand[]> {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-scenes-'));
  const played: PlayedCommand[] = [];
  try {
    for (const { name, commands } of scenes) {
      const cwd = join(folder, name.replaceAll(' ', '-'));
      mkdirSync(cwd);
      for (const command of commands) {
        const result = await clients.shell(command, { cli, address, cwd });
        played.push({ scene: name, command, transcript: transcriptOf(result) });
      }
      await sweep(clients.peer(address));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return played;
}

// The command line: flag names, short forms, defaults and environment variables of docker/classicswarm.
// Parsing ends in one typed, frozen options object per command; what the commands do is passed in.
import { Command, CommanderError, Option } from 'commander';
import { addCa, type CaOptions } from './ca-command.ts';
import { addJoin, type JoinOptions } from './join-command.ts';
import { addList, type ListOptions } from './list-command.ts';
import { addManage, type ManageOptions } from './manage-command.ts';
import type { Surroundings } from './surroundings.ts';
import { UsageError } from './usage-error.ts';
import { logLevel } from './values.ts';

export interface Commands {
  readonly manage: (options: ManageOptions) => Promise<void>;
  readonly join: (options: JoinOptions) => Promise<void>;
  readonly list: (options: ListOptions) => Promise<void>;
  readonly health: () => Promise<void>;
  readonly ca: (options: CaOptions) => Promise<void>;
}

/**
 * Parses `argv` (without the interpreter and the script) and runs the command that it names.
 * Resolves with the exit code: 0, or 2 for a mistake on the command line. Rejects when the command does.
 */
export async function runCommandLine(
  argv: readonly string[],
  version: string,
  commands: Commands,
  surroundings: Surroundings,
): Promise<number> {
  try {
    const program = buildProgram(version, commands, surroundings);
    await program.parseAsync(withTwoDashes(argv, program), { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof UsageError) {
      surroundings.err(`shoal: ${error.message}\n`);
      return 2;
    }
    throw error;
  }
}

/** Whatever runs docker/classicswarm may write its long flags with one dash, as Go programs allow. */
function withTwoDashes(argv: readonly string[], program: Command): string[] {
  const long = new Set(
    [program, ...program.commands].flatMap(({ options }) =>
      options.flatMap(({ flags }) => flags.match(/--[a-z-]+/g) ?? []),
    ),
  );
  return argv.map((argument) => {
    const name = /^-[a-z][a-z-]+/.exec(argument)?.[0];
    return name !== undefined && long.has(`-${name}`) ? `-${argument}` : argument;
  });
}

function buildProgram(version: string, commands: Commands, surroundings: Surroundings): Command {
  const program = new Command('shoal')
    .description('Many Docker engines as one virtual Docker host')
    .version(`shoal version ${version}`, '-v, --version', 'print the version')
    .addOption(new Option('--debug', 'log each request and event').env('DEBUG'))
    .option('-l, --log-level <level>', 'error, warn, info or debug', logLevel, 'info')
    .addOption(new Option('--experimental').hideHelp())
    .configureOutput({
      writeOut: surroundings.out,
      writeErr: surroundings.err,
      outputError: (text, write) => {
        write(
          `shoal: ${text
            .replace(/^error: /, '')
            .replace(/^unknown option .*/, '$&; `shoal help COMMAND` lists those that exist')
            .trim()
            .replaceAll('\n', ' ')}\n`,
        );
      },
    })
    .exitOverride();
  program.helpCommand('help [command]', 'print help');
  addManage(program, commands.manage, surroundings.env);
  addJoin(program, commands.join, surroundings.env);
  addList(program, commands.list, surroundings.env);
  addHealth(program, commands.health);
  addCa(program, commands.ca);
  return program;
}

function addHealth(program: Command, run: Commands['health']): void {
  program
    .command('health')
    .description('in a container: whether the manager or agent that it runs answers')
    .action(async () => {
      await run();
    });
}

// Which container names the engine accepts.
import { badRequest } from '../common/errors.ts';

const validName = /^\/?[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** The name without its leading slash. Throws the engine's 400 for a name that it would refuse. */
export function checkContainerName(name: string): string {
  if (!validName.test(name)) {
    throw badRequest(`Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
  }
  return name.startsWith('/') ? name.slice(1) : name;
}

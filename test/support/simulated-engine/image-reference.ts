// Image references as users type them, brought to the familiar form in which engines list them.
import { createHash } from 'node:crypto';

/** "docker.io/library/busybox" becomes "busybox:latest"; a digest is kept and no tag is added to it. */
export function familiarReference(reference: string): string {
  const short = reference.replace(/^(?:index\.)?docker\.io\//, '').replace(/^library\//, '');
  if (short.includes('@')) return short;
  return hasTag(short) ? short : `${short}:latest`;
}

/** The part before tag and digest. */
export function repositoryOf(reference: string): string {
  const name = reference.split('@')[0] ?? reference;
  return hasTag(name) ? name.slice(0, name.lastIndexOf(':')) : name;
}

export function tagOf(reference: string): string {
  return hasTag(reference) ? reference.slice(reference.lastIndexOf(':') + 1) : 'latest';
}

/** The same digest for the same text on every engine, as one registry would give. */
export function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

function hasTag(reference: string): boolean {
  return reference.lastIndexOf(':') > reference.lastIndexOf('/');
}

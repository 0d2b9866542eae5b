// Where an engine says "every address", a client of the cluster must be told which machine: the node's own IP.
import { isIPv4 } from 'node:net';

export function isAnyIpv4(ip: string): boolean {
  return ip === '0.0.0.0';
}

export function isAnyIpv6(ip: string): boolean {
  return ip === '::';
}

/**
 * The node's IPv4 address when its address is one, else ''. A host name must not stand where clients decode an
 * IP address.
 */
export function routableIpv4(host: string): string {
  return isIPv4(host) ? host : '';
}

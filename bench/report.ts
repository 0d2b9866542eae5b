// The table that the benchmark prints.
import type { Measurement } from './measure.ts';

export function printMeasurements(title: string, measurements: readonly Measurement[]): void {
  console.log(`\n${title}`);
  console.log(row(['call', 'at once', 'p50 ms', 'p90 ms', 'p99 ms', 'per s', 'CPU ms', 'calls', 'errors']));
  for (const { what, atOnce, p50, p90, p99, perSecond, cpuMs, calls, errors, firstError } of measurements) {
    const numbers = [ms(p50), ms(p90), ms(p99), perSecond.toFixed(0), ms(cpuMs), String(calls), String(errors)];
    console.log(row([what, String(atOnce), ...numbers]) + (firstError === undefined ? '' : `  ${firstError}`));
  }
}

export function printFact(what: string, value: string): void {
  console.log(`${what.padEnd(34)} ${value}`);
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(0)} MiB`;
}

function row(cells: readonly string[]): string {
  return cells.map((cell, index) => (index === 0 ? cell.padEnd(22) : cell.padStart(8))).join(' ');
}

function ms(value: number | undefined): string {
  return value === undefined ? '-' : value.toFixed(value < 100 ? 1 : 0);
}

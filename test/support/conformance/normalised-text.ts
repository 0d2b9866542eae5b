// What differs by nature between two hosts and two moments: ids, times, addresses, ports that a host chooses.

/** Each stands for all of its kind afterwards. */
export function normalisedText(text: string): string {
  return replacements.reduce((result, [pattern, replacement]) => result.replace(pattern, replacement), text);
}

const replacements: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}\b/gi, '<uuid>'],
  [/\b[0-9a-f]{64}\b/g, '<id>'],
  [/\b[0-9a-f]{12}\b/g, '<short id>'],
  [/(?<=docker-import-)\d+/g, '<number>'],
  [/\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/g, '<time>'],
  [/\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, '<mac>'],
  [/\b172\.\d+\.\d+\.\d+/g, '<address>'],
  [/\b(?:Less than a second|About an? \w+|\d+ (?:second|minute)s?)\b/g, '<while>'],
  [/\b(?:3[2-9]|[45]\d|6[0-5])\d{3}\b/g, '<port>'],
  [/(?<=read udp )[\d.:<>a-z]+->/g, '<socket>->'],
  [/\b(?:[A-Z2-7]{4}:){11}[A-Z2-7]{4}\b/g, '<uuid>'],
  [/(?<=^\/?|\/)[a-z]+_[a-z]+\d?$/g, '<made name>'],
];

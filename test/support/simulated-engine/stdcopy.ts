// The frames in which a container without a terminal sends its streams: type, three zeros, length, payload.

const streamTypes = { stdin: 0, stdout: 1, stderr: 2 } as const;

export function frame(stream: keyof typeof streamTypes, payload: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt8(streamTypes[stream], 0);
  head.writeUInt32BE(payload.length, 4);
  return Buffer.concat([head, payload]);
}

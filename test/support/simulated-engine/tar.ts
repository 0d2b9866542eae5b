// As much of the tar format as an engine's archives and saved images need: plain files with short names.

/** An archive that holds `files`, by name. */
export function writeTar(files: Readonly<Record<string, Buffer>>): Buffer {
  const blocks = Object.entries(files).flatMap(([name, content]) => [
    header(name, content.length),
    content,
    Buffer.alloc((512 - (content.length % 512)) % 512),
  ]);
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** Undefined when the archive holds no such file, or is none. */
export function readFromTar(archive: Buffer, name: string): Buffer | undefined {
  let position = 0;
  while (position + 512 <= archive.length) {
    const size = parseInt(archive.toString('latin1', position + 124, position + 135), 8);
    if (Number.isNaN(size)) return undefined;
    const found = archive
      .toString('latin1', position, position + 100)
      .replace(/\0.*$/s, '')
      .replace(/^\.\//, '');
    const start = position + 512;
    if (found === name) return archive.subarray(start, start + size);
    position = start + Math.ceil(size / 512) * 512;
  }
  return undefined;
}

function header(name: string, size: number): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0, 100, 'latin1');
  block.write('0000644\0', 100);
  block.write('0000000\0', 108);
  block.write('0000000\0', 116);
  block.write(`${size.toString(8).padStart(11, '0')} `, 124);
  block.write('00000000000 ', 136);
  block.write('        ', 148);
  block.write('0', 156);
  block.write('ustar\x0000', 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

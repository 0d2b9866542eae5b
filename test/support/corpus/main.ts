// `npm run corpus [-- --networks bridge|overlay] [PROJECT...]`: the whole corpus, or what is named, with both Composes.
import { parseArgs } from 'node:util';
import type { NetworkKind } from './projects.ts';
import { allParts, CorpusRig } from './run.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { networks: { type: 'string' }, compose: { type: 'string' }, 'at-once': { type: 'string', default: '2' } },
});
const parts = allParts().filter(
  ({ project, version }) =>
    (positionals.length === 0 || positionals.includes(project.name)) && (values.compose ?? version) === version,
);
for (const networks of (['bridge', 'overlay'] as const).filter((kind) => (values.networks ?? kind) === kind)) {
  await playOn(networks);
}

async function playOn(networks: NetworkKind): Promise<void> {
  const corpus = await CorpusRig.start();
  try {
    if (networks === 'overlay') await corpus.formSwarm();
    const result = await corpus.play(parts, Number(values['at-once']), (line) => {
      console.log(line);
    });
    for (const left of result.left) console.log(`LEFT: ${left}`);
    const count = result.differences.length;
    console.log(`${networks}: ${parts.length} plays, ${count} unknown differences, ${result.left.length} left`);
    if (count + result.left.length > 0) process.exitCode = 1;
  } finally {
    await corpus.stop();
  }
}

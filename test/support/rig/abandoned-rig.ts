// A rig whose owner is about to be killed: starts engines and a container, says "up" and waits for the end.
import { startRig } from './rig.ts';

const rig = await startRig({ engines: ['20.10', '20.10'], manager: 'none' });
await rig.docker(['run', '--detach', '--publish', '8080', 'busybox', 'sleep', '3600']);
console.log('up');
await new Promise((resolve) => process.stdin.on('close', resolve).resume());
await rig.stop();

import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ServerTurns } from '../../../discovery/server-turns.ts';

describe('the servers of a store', () => {
  it('have their turn one after the other, and the first again after the last', () => {
    const turns = new ServerTurns(['a', 'b']);
    assert.equal(turns.current, 'a');
    turns.leave('a');
    assert.equal(turns.current, 'b');
    turns.leave('b');
    assert.equal(turns.current, 'a');
  });

  it('are left once for several failures of one', () => {
    const turns = new ServerTurns(['a', 'b', 'c']);
    turns.leave('a');
    turns.leave('a');
    assert.equal(turns.current, 'b');
  });

  it('are left by who asks them when they fail, and kept when it is no fault of theirs', async () => {
    const turns = new ServerTurns(['a', 'b']);
    const refusal = new Error('refused');
    const failing = (reason: Error) =>
      turns.ask(
        () => Promise.reject(reason),
        (error) => error === refusal,
      );
    await assert.rejects(failing(refusal), refusal);
    assert.equal(
      await turns.ask(
        (server) => Promise.resolve(server),
        () => false,
      ),
      'a',
    );
    await assert.rejects(failing(new Error('dead')));
    assert.equal(turns.current, 'b');
  });
});

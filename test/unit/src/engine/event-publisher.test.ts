import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import { withResolvers } from '../../../../src/common/abort.ts';
import { TaskSet } from '../../../../src/common/lifecycle.ts';
import { createSilentLogger } from '../../../../src/common/logger.ts';
import type { DockerEvent } from '../../../../src/docker/types.ts';
import { EventPublisher } from '../../../../src/engine/event-publisher.ts';
import { until } from '../../../support/until.ts';

function anEvent(id: string, action: string): DockerEvent {
  return { Type: 'container', Action: action, Actor: { ID: id }, time: 1, timeNano: 1e9 };
}

describe('the publisher of events', () => {
  const sets: TaskSet[] = [];

  afterEach(async () => {
    for (const tasks of sets.splice(0)) await tasks.stop();
  });

  function aPublisher(holdMs: number): { readonly publisher: EventPublisher; readonly published: string[] } {
    const tasks = new TaskSet(createSilentLogger());
    sets.push(tasks);
    const published: string[] = [];
    const publish = ({ Actor, Action }: DockerEvent): number => published.push(`${Actor.ID} ${Action}`);
    return { publisher: new EventPublisher({ publish, tasks, holdMs }), published };
  }

  it('publishes at once what has no effect and nothing before it', () => {
    const { publisher, published } = aPublisher(60_000);
    publisher.admit(anEvent('a', 'top'), undefined);
    assert.deepEqual(published, ['a top']);
  });

  it('keeps the order within one object and lets others pass', async () => {
    const { publisher, published } = aPublisher(60_000);
    const slow = withResolvers<undefined>();
    publisher.admit(anEvent('a', 'start'), slow.promise);
    publisher.admit(anEvent('a', 'attach'), undefined);
    publisher.admit(anEvent('a', 'die'), Promise.resolve());
    publisher.admit(anEvent('b', 'start'), Promise.resolve());
    await until('b was published', () => published.length === 1);
    assert.deepEqual(published, ['b start']);
    slow.resolve(undefined);
    await until('all were published', () => published.length === 4);
    assert.deepEqual(published, ['b start', 'a start', 'a attach', 'a die']);
  });

  it('publishes although an effect does not come to an end', async () => {
    const { publisher, published } = aPublisher(5);
    publisher.admit(anEvent('a', 'start'), withResolvers<undefined>().promise);
    publisher.admit(anEvent('a', 'die'), withResolvers<undefined>().promise);
    await until('both were published', () => published.length === 2);
    assert.deepEqual(published, ['a start', 'a die']);
  });

  it('is full when it holds too many, and not any more when they are published', async () => {
    const { publisher, published } = aPublisher(60_000);
    const slow = withResolvers<undefined>();
    for (let index = 0; index < 5_000; index++) publisher.admit(anEvent('a', 'start'), slow.promise);
    assert.equal(publisher.isFull, true);
    slow.resolve(undefined);
    await until('all were published', () => published.length === 5_000);
    await until('it has room', () => !publisher.isFull);
  });
});

import { expect } from 'chai';
import type { Trial } from '../../../oracle/trial.js';
import { inOrder, ScriptedTarget } from '../../oracle/scripted-target.js';
import { chapter, run } from './scripted-run.js';

/** A run of one requirement, while the first `times` processes that are asked for `command` crash of it. */
async function crashing(times: number, command: string) {
  let left = times;
  const target = new ScriptedTarget((asked, instance) => {
    if (asked.execute !== command || left === 0) return inOrder(asked, instance);
    left--;
    instance.die({ code: null, signal: 'SIGSEGV' });
    return undefined;
  });
  const asks = async (t: Trial) => {
    const session = await t.session();
    await session.command('stop');
    t.succeeded(await session.command('cont'));
  };
  const { footer, events } = await run(chapter().must('A', 'a', asks).done(), { jobs: 1 }, target);
  return { counts: footer.counts, notes: events.flatMap((one) => (one.event === 'note' ? [one.text] : [])) };
}

describe('a process that crashes', () => {
  it('before it has answered more than qmp_capabilities fails nothing when that happens once, and is told of', async () => {
    const { counts, notes } = await crashing(1, 'stop');
    expect(counts).to.deep.equal({ conforms: 1 });
    expect(notes).to.deep.equal([
      'A lost a process that had just been started, and not again: the target died: killed by SIGSEGV',
    ]);
  });

  it('fails the requirement when it crashes as early again', async () => {
    expect(await crashing(2, 'stop')).to.deep.equal({ counts: { crash: 1 }, notes: [] });
  });

  it('fails the requirement at once when it had answered a command', async () => {
    expect(await crashing(1, 'cont')).to.deep.equal({ counts: { crash: 1 }, notes: [] });
  });
});

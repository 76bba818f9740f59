/** Scripts that show a finding without this program. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { attempt } from '../../campaign/attempt.js';
import type { CaseFile } from '../../campaign/case-file.js';
import { reproScript } from '../../campaign/repro/script.js';
import { learnFacts } from '../../targets/facts.js';
import { resolveTarget } from '../../targets/resolve.js';
import type { FeedPart, Scenario } from '../../targets/scenario.js';
import { programOf } from '../targets/real-qemu.js';

const run = promisify(execFile);

/** A destination that is fed these parts. */
const fed = (...pieces: readonly (readonly FeedPart[])[]): Scenario => ({
  scenario: 1,
  steps: [
    { do: 'start', at: 'destination', options: { memory: 16, incoming: 'defer' } },
    { do: 'connect', at: 'destination' },
    {
      do: 'command',
      at: 'destination',
      execute: 'migrate-set-capabilities',
      arguments: {
        capabilities: [
          { capability: 'events', state: true },
          { capability: 'postcopy-ram', state: true },
        ],
      },
    },
    { do: 'command', at: 'destination', execute: 'migrate-incoming', arguments: { uri: 'unix:{channel fed}' } },
    ...pieces.map((parts) => ({ do: 'feed', channel: 'fed', parts }) as const),
    { do: 'exit', at: 'destination', deadline: 1500 },
  ],
});

/** What the script of a scenario prints, which the target was put through once before to learn how it is started. */
async function printed(scenario: Scenario): Promise<{ script: string; output: string }> {
  const { target } = resolveTarget('reference:7.2');
  const first = await target.start();
  const facts = await learnFacts(first);
  await first.dispose();
  const { launches } = await attempt(scenario, { target, facts, strictDesc: false });
  const file: CaseFile = {
    case: 1,
    title: 'a finding',
    signature: '0',
    symptom: { kind: 'crash', subject: 'a death', rows: [], state: '', expected: [], got: '' },
    reproduced: { times: 1, of: 1 },
    target: 'reference:7.2',
    product: facts.product,
    productVersion: '7.2.0',
    dialect: facts.dialect.name,
    origin: { source: 'walk', seed: 0, index: 0 },
    stepsBefore: scenario.steps.length,
    scenario,
  };
  const script = reproScript(file, launches);
  await target.close();
  const folder = mkdtempSync(join(tmpdir(), 'qmpspec-repro-'));
  try {
    const path = join(folder, 'repro.sh');
    writeFileSync(path, script);
    const { stdout } = await run('sh', [path], { timeout: 30_000 });
    return { script, output: stdout };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('a repro script', () => {
  it('feeds a destination the bytes of the scenario, on one connection', async function () {
    programOf(this, 'socat');
    const start: FeedPart[] = ['header', 'configuration', 'return-path', 'advise', 'ram', 'discard', 'listen'];
    const { script, output } = await printed(fed(start, ['garbage']));
    expect(script).not.to.contain('left out');
    expect(output).to.match(/"status": ?"active"/);
    expect(output).to.match(/"status": ?"postcopy-active"/);
    expect(output).to.contain('destination ended with status 1');
  });
});

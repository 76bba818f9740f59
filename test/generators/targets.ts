/** What generators are proved against: the reference in every dialect, and the real QEMUs that are here. */
import { dialectNames } from '../../reference/dialects/dialect.js';
import { qemuTarget } from '../../targets/executable.js';
import { learnFacts, type TargetFacts } from '../../targets/facts.js';
import { InProcessTarget } from '../../targets/in-process/target.js';
import type { Instance, Target } from '../../targets/target.js';
import { realQemu } from '../targets/real-qemu.js';

export interface Proven {
  readonly name: string;
  /** Skips the test where there is no such target. */
  open(context: Mocha.Context): Promise<{ target: Target; instance: Instance; facts: TargetFacts }>;
}

async function open(target: Target): Promise<{ target: Target; instance: Instance; facts: TargetFacts }> {
  const instance = await target.start();
  return { target, instance, facts: await learnFacts(instance) };
}

const references: Proven[] = dialectNames.map((dialect) => ({
  name: `the reference, ${dialect}`,
  open: () => open(new InProcessTarget({ dialect, memory: 1 })),
}));

const ten = process.env.QMPSPEC_QEMU_10 ?? 'qemu-10';

export const provingTargets: readonly Proven[] = [
  ...references,
  { name: 'a real QEMU 7.2', open: async (context) => open(qemuTarget('qemu', realQemu(context))) },
  { name: 'a real QEMU 10.0', open: async (context) => open(qemuTarget('qemu', realQemu(context, ten))) },
];

/** Steps of the model that are acted out wrongly: what the guest and the process do. */
import type { RunState } from '../migration/host.js';
import type { Alternative, Output } from '../model/index.js';
import { inArea } from './fault.js';

const isEvent =
  (name: string) =>
  (output: Output): boolean =>
    output.kind === 'event' && output.event === name;
const without = ({ outputs }: Alternative, name: string): readonly Output[] =>
  outputs.filter((output) => !isEvent(name)(output));
const inRunState = (step: Alternative, runState: RunState): Alternative => ({
  ...step,
  next: { ...step.next, vm: { ...step.next.vm, runState } },
});

export const stepFaults = inArea('run state', {
  'guest-runs-through-switch-over': {
    title: 'does not stop the guest at the switch-over',
    rows: ['MIG-SM-O30', 'MIG-SM-O32', 'QMP-RUN-11'],
    step: (step, { vm }) =>
      step.label === 'converged' && vm.runState === 'running'
        ? inRunState({ ...step, outputs: without(step, 'STOP') }, 'running')
        : step,
  },
  'guest-runs-through-postcopy': {
    title: 'does not stop the guest at the switch to postcopy',
    rows: ['MIG-SM-O51', 'QMP-RUN-11'],
    step: (step, { vm }) =>
      step.label === 'postcopy-started' && vm.runState === 'running'
        ? inRunState({ ...step, outputs: without(step, 'STOP') }, 'running')
        : step,
  },
  'paused-postcopy-wakes-guest': {
    title: 'lets the guest of the source run again when its postcopy is paused',
    rows: ['MIG-SM-O60', 'MIG-CMD-EVT-06'],
    step: (step) =>
      step.next.out.status === 'postcopy-paused' && step.outputs.some(isEvent('MIGRATION'))
        ? inRunState({ ...step, outputs: [...step.outputs, { kind: 'event', event: 'RESUME' }] }, 'running')
        : step,
  },
  'guest-stays-stopped': {
    title: 'does not let the guest run again after a switch-over that came to nothing',
    rows: ['MIG-SM-C08', 'MIG-SM-O38', 'MIG-SM-O40'],
    step: (step) => {
      if (step.label !== 'guest-restored' && step.label !== 'settled') return step;
      if (!step.outputs.some(isEvent('RESUME'))) return step;
      return inRunState({ ...step, outputs: without(step, 'RESUME') }, 'postmigrate');
    },
  },
  'paused-guest-woken': {
    title: 'lets a guest run that was paused before a switch-over that came to nothing',
    rows: ['MIG-SM-C08', 'MIG-SM-O38', 'MIG-SM-O40'],
    step: (step, { out }) => {
      if (step.label !== 'guest-restored' && step.label !== 'settled') return step;
      if (out.wasRunning || out.status === 'completed') return step;
      return inRunState({ ...step, outputs: [{ kind: 'event', event: 'RESUME' }, ...step.outputs] }, 'running');
    },
  },
  'postmigrate-skipped': {
    title: 'lets the guest run on by itself after a migration has completed',
    rows: ['MIG-SM-O36', 'MIG-SM-O37', 'MIG-CMD-EVT-06'],
    step: (step, { out }) =>
      step.label === 'settled' && out.status === 'completed'
        ? inRunState({ ...step, outputs: [{ kind: 'event', event: 'RESUME' }] }, 'running')
        : step,
  },
  'paused-after-completed': {
    title: 'ends in run state paused after a migration has completed',
    rows: ['MIG-SM-O36', 'MIG-SM-O37', 'QMP-RUN-10'],
    step: (step, { out, vm }) => {
      if (step.label !== 'settled' || out.status !== 'completed') return step;
      return vm.runState === 'finish-migrate' ? inRunState(step, 'paused') : step;
    },
  },
  'destination-runs-against-s': {
    title: 'lets the guest of a destination run although it was started with -S',
    rows: ['MIG-SM-I21'],
    step: (step, { vm }) => {
      if (step.label !== 'loaded:running' || vm.autostart) return step;
      return inRunState({ ...step, outputs: [{ kind: 'event', event: 'RESUME' }, ...step.outputs] }, 'running');
    },
  },
  'cancel-never-ends': {
    title: 'never ends a cancel of a migration that is under way',
    rows: ['MIG-SM-C04', 'MIG-SM-C08', 'MIG-SM-C10'],
    step: (step, before) =>
      step.label === 'thread-ended' ? { ...step, outputs: [], next: { ...step.next, out: before.out } } : step,
  },
  'cancel-awaits-channels': {
    title: 'never ends a cancel of a migration with data channels',
    rows: ['MIG-SM-C04'],
    step: (step, before) =>
      step.label === 'thread-ended' && before.capabilities.some((name) => name.endsWith('multifd'))
        ? { ...step, outputs: [], next: { ...step.next, out: before.out } }
        : step,
  },
  'failed-load-exits-with-0': {
    title: 'ends with status 0 after a failed load',
    rows: ['MIG-SM-I20'],
    step: (step) => (step.next.exit === 1 ? { ...step, next: { ...step.next, exit: 0 } } : step),
  },
  'failed-load-survives': {
    title: 'lives on after a failed load',
    rows: ['MIG-SM-I20'],
    step: (step) => (step.next.exit === 1 ? { ...step, next: { ...step.next, exit: null } } : step),
  },
});

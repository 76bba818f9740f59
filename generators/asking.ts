/**
 * What may be done to a monitor that runs already and must be left as it was found: it is asked, and sent what every monitor
 * refuses. The executor refuses the rest there, and campaigns leave it out of their cases.
 */
import { stringifyJson } from '../protocol/json.js';
import type { Scenario, Step } from '../targets/scenario.js';
import { mayBeExecuted, mayBeSent } from './harmless-commands.js';

/** Names that no monitor has may be sent as well. */
const asks = (name: string): boolean => /^(query-|qmp_capabilities$|qmpspec)/.test(name);

/** No command in these bytes does more than ask, however it is spelled, and however wrong the text around it is. */
function bytesAsk(bytes: string): boolean {
  const text = bytes.replace(/\\u([0-9a-fA-F]{4})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  const named = [...text.matchAll(/["'](?:execute|exec-oob)["']\s*:\s*["']([^"']*)["']/g)];
  const words = [...text.matchAll(/["']([\w-]+)["']/g)];
  return (
    named.every(([, name]) => asks(name as string)) &&
    words.every(([, word = '']) => asks(word) || !(mayBeExecuted(word) || mayBeSent(word)))
  );
}

/** The step as far as it only asks; `undefined` when nothing of it does. */
function asking(step: Step): Step | undefined {
  if ('at' in step && step.at !== 'source') return undefined;
  switch (step.do) {
    case 'start':
      return Object.keys(step.options ?? {}).length === 0 ? step : { do: 'start', at: step.at };
    case 'connect': {
      if ((step.monitor ?? 0) > 0) return undefined;
      const { before = [], ...rest } = step;
      const left = before.filter(({ execute }) => asks(execute));
      if (left.length === before.length) return step;
      return left.length === 0 ? rest : { ...rest, before: left };
    }
    case 'command':
      return asks(step.execute) && step.descriptors === undefined ? step : undefined;
    case 'pipeline': {
      const left = step.commands.filter(({ execute }) => asks(execute));
      if (left.length === step.commands.length) return step;
      return left.length === 0 ? undefined : { ...step, commands: left };
    }
    case 'raw':
      return bytesAsk(step.bytes) ? step : undefined;
    case 'fence':
    case 'status':
    case 'runstate':
    case 'event':
    case 'disconnect':
      return step;
    default:
      return undefined;
  }
}

/** The first thing in a scenario that could leave a trace on the monitor, in words; `undefined` when there is none. */
export function traceIn(scenario: Scenario): string | undefined {
  for (const [index, step] of scenario.steps.entries()) {
    if (asking(step) !== step) {
      return `step ${index + 1} (${stringifyJson(step).slice(0, 80)}) may leave a trace`;
    }
  }
  return undefined;
}

/** What is left of a scenario when nothing in it may leave a trace, nor wait for what then never comes. */
export function onlyAsking(scenario: Scenario): Scenario {
  const steps = scenario.steps
    .filter((step) => !['status', 'runstate', 'event'].includes(step.do))
    .map(asking)
    .filter((step) => step !== undefined);
  return { ...scenario, steps };
}

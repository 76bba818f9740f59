/** `qmpspec show`: one requirement, and the messages that its check really exchanges. */
import { Command } from 'commander';
import { renderEntries } from '../protocol/render.js';
import { productName, verdictWords } from '../reports/details.js';
import { plural, printable, shorten } from '../reports/printable.js';
import { notApplicable } from '../suites/applicability.js';
import { type Conduct, conduct } from '../suites/conduct.js';
import { recorded } from '../suites/coverage/table.js';
import { chapters } from '../suites/index.js';
import type { Needs } from '../suites/requirement.js';
import { type Planned, select } from '../suites/schedule.js';
import { loadConfig } from '../targets/config.js';
import { learnFacts } from '../targets/facts.js';
import { InstancePool } from '../targets/pool.js';
import { resolveTarget } from '../targets/resolve.js';
import { TargetError } from '../targets/target.js';
import type { Io } from './io.js';
import { addTargetOptions, type TargetOptions } from './options.js';

/** Longest message shown, in characters. */
const widest = 400;
/** Most checks shown. */
const mostAccepted = 40;
/** Most entities named. */
const mostEntities = 12;

export function showCommand(io: Io): Command {
  return addTargetOptions(new Command('show'))
    .description(
      'show one requirement, and what goes over the wire when the target (default: the reference) is checked',
    )
    .argument('<id>', "id of a requirement; 'qmpspec list' shows them all")
    .option('--no-wire', 'do not run it')
    .action(async (id: string, options: TargetOptions & { readonly wire: boolean }) => {
      const found = select(chapters, [id]);
      for (const planned of found) {
        io.out.write(describe(planned));
        if (options.wire) await wire(planned, options, io);
      }
    });
}

function describe({ requirement, chapter }: Planned): string {
  const { id, level, title, spec, needs = {}, tags = [] } = requirement;
  const rows = [
    ['chapter', chapter.join(' / ')],
    ['spec', spec],
    ['needs', needsInWords(needs).join('; ')],
    ['tags', tags.join(', ')],
    ['exercises', exercises(id)],
  ].filter(([, text]) => text !== '');
  return `${id}  ${level}\n  ${title}\n\n${rows.map(([name = '', text = '']) => `  ${name.padEnd(11)}${text}\n`).join('')}\n`;
}

function exercises(id: string): string {
  const all = recorded(id);
  const more = all.length - mostEntities;
  return `${all.slice(0, mostEntities).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function needsInWords(needs: Needs): string[] {
  const list = (words: string, names: readonly string[] | undefined) =>
    names === undefined ? [] : [`${words} ${[...new Set(names)].join(', ')}`];
  return [
    ...list('a target with', needs.abilities),
    ...list('command', needs.commands),
    ...list('argument', needs.members),
    ...list('capability', needs.capabilities),
    ...list('parameter', needs.parameters),
  ];
}

/** What the checks would have accepted, each once, in the order in which they were made. */
function acceptedLines(accepted: Conduct['accepted']): string[] {
  const all = accepted.map(({ expected, step }) => {
    const words = shorten(printable(expected.join('  or  ')), widest);
    return step === undefined ? words : `${printable(step)}: ${words}`;
  });
  const once = [...new Set(all)];
  const shown = once.slice(0, mostAccepted).map((line) => `    ${line}\n`);
  const more = once.length - mostAccepted;
  if (more > 0) shown.push(`    … and ${more} more\n`);
  return shown.length === 0 ? [] : ['  What is accepted:\n\n', ...shown, '\n'];
}

/** Runs the requirement and prints its transcript. A target that cannot be run is told, but the description stands. */
async function wire(planned: Planned, options: TargetOptions, io: Io): Promise<void> {
  const { target, dialect: configured } = resolveTarget(options.target, loadConfig(options.config));
  const pool = new InstancePool(target, 1);
  try {
    const first = await pool.acquire();
    const facts = await learnFacts(first, options.dialect ?? configured);
    await pool.release(first, 'new');
    const on = productName({ product: facts.product, productVersion: facts.version });
    const why = notApplicable(planned.requirement, target, facts);
    if (why !== undefined) {
      io.out.write(`  Not applicable to ${target.name} (${on}): ${printable(why)}\n`);
      return;
    }
    const result = await conduct(planned.requirement, { facts, pool, strictDesc: false, seed: 0 });
    const lines = renderEntries(result.transcript.entries, { width: widest });
    const verdict = verdictWords({ verdict: result.verdict });
    io.out.write(`  On the wire with ${target.name} (${on}):\n\n${lines.map((line) => `  ${line}\n`).join('')}\n`);
    io.out.write(acceptedLines(result.accepted).join(''));
    io.out.write(`  ${verdict}, ${plural(result.checks, 'check')}\n`);
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    throw new TargetError(`what goes over the wire cannot be shown: ${error.message}`);
  } finally {
    await pool.close();
    await target.close();
  }
}

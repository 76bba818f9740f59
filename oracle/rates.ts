/**
 * Figures of `query-migrate` that are taken over a window of time (commands.md §8.2 and §8.3): as long as no window can have
 * ended they are nothing, and no window has seen more than all that there was.
 */
import { isObject, type JsonObject } from '../protocol/json.js';

/** What is known of the process that shows them. */
export interface Windows {
  /** Milliseconds since the process was first told to migrate; absent where that is not known. */
  readonly firstAge: number | undefined;
  /** Every page that is sent is counted, and little but pages is sent. */
  readonly countsPages: boolean;
}

/** A figure, what it may be, and the row of the specification that says so. */
export type WrongRate = readonly [row: string, expected: string, got: string];

/** Milliseconds of a window of speed at least, and of one of dirty pages, by a clock of whole ones: it may take one less. */
const speedWindow = 100;
const dirtyWindow = 1000;
/** Bytes beside those of pages that a window may have seen. */
const besidePages = 2 ** 20;
const ofClock = 1;

const figure = (holder: unknown, name: string): number | undefined => {
  const value = isObject(holder as JsonObject) ? (holder as JsonObject)[name] : undefined;
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined;
};

/** The rates among the figures of one reply that cannot be. */
export function* wrongRates(value: JsonObject, { firstAge: age, countsPages }: Windows): Generator<WrongRate> {
  const { ram, 'xbzrle-cache': cache, compression } = value;
  if (!isObject(ram)) return;
  const completed = value.status === 'completed';
  // Some releases work out the figures of the end just before they show it.
  const goesOn = !completed && (figure(ram, 'remaining') ?? 0) > 0;
  const nothing = (row: string, name: string, holder: unknown, since: number) => {
    const shown = figure(holder, name);
    const wrong = age !== undefined && age < since - ofClock && shown !== undefined && shown !== 0;
    return wrong ? [[row, `${name} 0 in the first ${since} ms`, `${shown}`] as const] : [];
  };
  yield* nothing('MIG-CMD-QMIG-03', 'dirty-pages-rate', ram, dirtyWindow);
  for (const name of ['cache-miss-rate', 'encoding-rate']) yield* nothing('MIG-CMD-QMIG-03', name, cache, dirtyWindow);
  for (const name of ['busy-rate', 'compression-rate'])
    yield* nothing('MIG-CMD-QMIG-03', name, compression, dirtyWindow);
  yield* nothing('MIG-CMD-QMIG-03', 'pages-per-second', ram, speedWindow);
  if (goesOn) yield* nothing('MIG-CMD-QMIG-03', 'mbps', ram, speedWindow);
  if (!countsPages || 'disk' in value) return;
  const pages = (figure(ram, 'normal') ?? 0) + (figure(ram, 'duplicate') ?? 0);
  const most = (pages * 1000) / speedWindow;
  const perSecond = figure(ram, 'pages-per-second');
  if (perSecond !== undefined && perSecond > most)
    yield ['MIG-CMD-QMIG-03', `pages-per-second at most ${most}, all pages in one window`, `${perSecond}`];
  const bytes = (figure(ram, 'transferred') ?? 0) + besidePages;
  const fastest = (bytes * 8) / (speedWindow * 1000);
  const mbps = figure(ram, 'mbps');
  if (goesOn && mbps !== undefined && mbps > fastest)
    yield ['MIG-CMD-QMIG-03', `mbps at most ${fastest}, all bytes in one window`, `${mbps}`];
}

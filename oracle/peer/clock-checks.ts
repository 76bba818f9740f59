/** What the section `timer` of a machine says that was started here (stream-format.md §6.1): its guest ran no longer than it was there. */
import { decodeTimer } from '../../reference/stream/device-layout.js';

/** Ticks that a processor counts in a nanosecond at most, and those that may have passed between two looks at two clocks. */
const [fastest, betweenLooks] = [10, 1e9];
/** Milliseconds by which a machine may be older than we are, who know it. */
const older = 60_000;

/**
 * What is wrong with a body of `timer`, in words.
 * @param ran whether the guest has run; absent where that is not known
 * @param most milliseconds for which we have been there
 */
export function wrongClock(body: Buffer, ran: boolean | undefined, most: number): string | undefined {
  const { ticks, unused, clock } = decodeTimer(body);
  if (unused !== 0) return `timer has ${unused} in the field that is not used`;
  if (ran === false)
    return ticks === 0 && clock === 0 ? undefined : `timer counts ${ticks} and ${clock} of a guest that never ran`;
  if (ticks < 0 || clock < 0) return `timer counts ${ticks} and ${clock}, less than nothing`;
  if (ran && (ticks === 0 || clock === 0)) return `timer counts ${ticks} and ${clock} of a guest that ran`;
  if (clock > (most + older) * 1e6) return `timer counts ${clock} nanoseconds of a guest that is younger`;
  return ticks > fastest * clock + betweenLooks ? `timer counts ${ticks} ticks in ${clock} nanoseconds` : undefined;
}

/** A stream that took another way than over a socket. */
import type { Trial } from '../../oracle/trial.js';
import { type Captured, capture, readable } from './capture.js';
import type { Recording } from './recording.js';

/** Its sections that come once, with what is in the one whose contents do not hang on the time. */
const sections = (recording: Recording): string =>
  recording.sections
    .filter(({ type }) => type === 4)
    .map(({ id, idstr, instance, version, body }) =>
      [id, idstr, instance, version, idstr === 'globalstate' ? body.toString('hex') : body.length].join(' '),
    )
    .join(', ');

/** These bytes are a whole stream, which brings the RAM of the source, and says of its machine what one over a socket does. */
export async function isWhole(t: Trial, one: Captured, bytes: Buffer): Promise<void> {
  const recording = readable(t, bytes);
  one.carries(recording);
  // A load is through before it, and would not miss the end of it.
  const { description = '', descriptionLength: whole } = recording;
  const holds = whole > 0 && Buffer.byteLength(description) === whole;
  t.check(holds, `${whole} bytes of a description`, `${Buffer.byteLength(description)}`, 'behind the end');
  const [, other] = await capture(t);
  t.same(recording.machine, other.machine, 'machine');
  t.same(sections(recording), sections(other), 'sections of devices');
  t.same(description, other.description, 'description');
}

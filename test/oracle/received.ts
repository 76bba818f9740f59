/** Received messages from their text, as a session would have made them. */
import { parseJson } from '../../protocol/json.js';
import { kindOf, type Received } from '../../protocol/message.js';

export function received(text: string, more: Partial<Received> = {}): Received {
  const value = parseJson(text);
  return { index: 0, entry: 0, time: 0, kind: kindOf(value), value, text, before: '', stale: false, ...more };
}

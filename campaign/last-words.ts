/** The line of standard error that says most about a death: an assertion, a sanitizer's report, a forbidden transition. */

const telling: readonly RegExp[] = [
  /ERROR: \w*Sanitizer: .*/,
  /runtime error: .*/,
  /Assertion [`'].*' failed.*/,
  /assertion failed.*/,
  /invalid runstate transition.*/,
  /\b(?:panic|PANIC|fatal error|Uncaught|FATAL)\b.*/,
  /^\w*Error: .*/m,
  /Segmentation fault.*/,
];

/** First frame of a stack in the target's own code, as sanitizers print it. */
const frame = /#\d+ 0x[0-9a-f]+ in (\S+)/gi;
const foreign = /^(?:__asan|__ubsan|__tsan|__interceptor|__GI_|raise|abort|malloc|free|memcpy|strlen)/;

/** `undefined` when there is nothing of the kind. */
export function wordsOfDeath(stderr: string): string | undefined {
  for (const pattern of telling) {
    const found = pattern.exec(stderr)?.[0];
    if (found === undefined) continue;
    const top = [...stderr.matchAll(frame)].map((match) => match[1] as string).find((name) => !foreign.test(name));
    return `${found.trim().slice(0, 200)}${top === undefined ? '' : ` in ${top}`}`;
  }
  return undefined;
}

/** A migration's engine stops here: it was cancelled, or its end has already been walked. */
export class Ended extends Error {
  override readonly name = 'Ended';
}

/** The one that is thrown: no two of them differ. */
export const ended = new Ended();

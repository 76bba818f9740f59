/** A scenario that cannot be run: an endpoint that no step has made, an unknown step. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
}

/** Asks a target for its own schema. */
import { isObject } from '../protocol/json.js';
import { loadConfig } from '../targets/config.js';
import { resolveTarget } from '../targets/resolve.js';
import { TargetError } from '../targets/target.js';

/** The `query-qmp-schema` reply of a target, named as on the command line. @throws TargetError, ConfigError */
export async function introspect(name: string): Promise<unknown> {
  const { target } = resolveTarget(name, loadConfig());
  try {
    const instance = await target.start();
    const session = await instance.connect();
    await session.negotiate();
    const { value } = await session.command('query-qmp-schema', undefined, { deadline: session.deadline * 2 });
    if (!isObject(value) || value.return === undefined) {
      throw new TargetError(`${name} does not answer query-qmp-schema: compare against a dialect instead`);
    }
    return value.return;
  } finally {
    await target.close();
  }
}

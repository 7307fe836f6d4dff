import { httpClients } from './http-client';
import type { RegistryUnderTest } from './registry-under-test';
import type { SignedPack } from './signed-packs';
import { measureTurn, type Turn, type TurnPlan } from './turn';

export type PublishTurnPlan = Pick<TurnPlan, 'clients' | 'bytes' | 'signal' | 'begin' | 'goOn' | 'pauseMs'>;

/** Publishes packs once each, as so many clients at once. */
export async function publishAll(registry: RegistryUnderTest, made: readonly SignedPack[], plan: PublishTurnPlan): Promise<Turn> {
  const http = httpClients(plan.clients);
  const operate = async (client: number, at: number) => {
    const pack = made[at];
    if (pack) await registry.publish(http.of(client), pack);
  };
  try {
    return await measureTurn({ ...plan, operations: made.length, roots: registry.roots, operate });
  } finally {
    http.close();
  }
}

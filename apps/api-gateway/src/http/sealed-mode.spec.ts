import 'reflect-metadata';
import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA } from '@nestjs/common/constants';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants';
import { SEALED_BY_CONFIGURATION, UNSEALED, type Principal, type Seal } from '@packs/domain';
import { SealReadModel } from '@packs/ports';
import { FixedClock } from '@packs/testing';
import { CONTROLLERS } from '../controllers';
import { CurrentSeal, effectOf, refuseWhenSealed, type RouteRule } from './sealed-mode';

interface Route {
  readonly name: string;
  readonly method: string;
  readonly rule: RouteRule;
}

function routesOf(controller: Type): Route[] {
  const prototype = controller.prototype as Record<string, object>;
  return Object.getOwnPropertyNames(prototype).flatMap(name => {
    const verb = Reflect.getMetadata(METHOD_METADATA, prototype[name] ?? {}) as RequestMethod | undefined;
    if (verb === undefined) return [];
    const rule = (Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, prototype[name] ?? {}) ?? {}) as RouteRule;
    return [{ name: `${controller.name}.${name}`, method: RequestMethod[verb], rule }];
  });
}

const ROUTES = CONTROLLERS.flatMap(controller => routesOf(controller));
const named = (routes: readonly Route[]): string[] => routes.map(({ name }) => name);
const OPEN_IN_SEALED_MODE = ['ImportsController.create', 'SealController.put', 'SealController.approve'];
/** They make nothing of their own: consumers run again, a mirror is looked at, and a policy is tried on what is there. */
const UPKEEP = /^(DeadLetters|Replays|Scrubs|Reverification|Parity\w*|TryPolicy)Controller\./;

describe('the table of routes', () => {
  it('says of every route that is no GET what its effect is', () => {
    expect(ROUTES.length).toBeGreaterThan(40);
    const silent = ROUTES.filter(
      ({ method, rule }) => !['GET', 'HEAD'].includes(method) && (rule.effect === undefined || rule.effect === 'read'),
    );
    expect(named(silent)).toEqual([]);
  });

  it('has no GET that changes anything', () => {
    expect(named(ROUTES.filter(({ method, rule }) => method === 'GET' && effectOf(method, rule) !== 'read'))).toEqual([]);
  });

  it('refuses every change to a sealed registry but the import of kits and what ends the seal', () => {
    expect(named(ROUTES.filter(({ rule }) => rule.effect === 'allowed-when-sealed')).toSorted()).toEqual(OPEN_IN_SEALED_MODE.toSorted());
  });

  it('takes nothing for upkeep but the work of consumers, the search for damage and lost trust, and questions', () => {
    expect(named(ROUTES.filter(({ rule }) => rule.effect === 'upkeep')).filter(name => !UPKEEP.test(name))).toEqual([]);
  });
});

class StoredSeal extends SealReadModel {
  asked = 0;

  constructor(private readonly stored: Seal) {
    super();
  }

  seal(): Promise<Seal> {
    this.asked += 1;
    return Promise.resolve(this.stored);
  }
}

const SEALED: Seal = { ...UNSEALED, sealed: true, by: 'api', since: '2026-01-17T08:00:00.000Z', changedBy: 'alice', reason: 'x' };

async function refusalOf(
  stored: StoredSeal,
  method: string,
  config: RouteRule,
  { scopes = ['packs.write'], byConfiguration = false } = {},
): Promise<unknown> {
  const hook = refuseWhenSealed(new CurrentSeal(stored, new FixedClock(), byConfiguration));
  const request = { principal: { tenant: 'acme', scopes } as unknown as Principal, method, routeOptions: { config } };
  try {
    await hook.call({} as never, request as never, {} as never);
    return undefined;
  } catch (error) {
    return (error as { code: unknown }).code;
  }
}

describe('the gateway of a sealed registry', () => {
  const scope = 'packs.write';

  it.each(['POST', 'PUT', 'DELETE', 'PATCH'])('refuses a %s that says nothing about itself as one that changes content', async method => {
    expect(await refusalOf(new StoredSeal(SEALED), method, { scope })).toBe('ERR_PACK_SEALED');
    expect(await refusalOf(new StoredSeal(SEALED), method, { scope, effect: 'mutation' })).toBe('ERR_PACK_SEALED');
    expect(await refusalOf(new StoredSeal(UNSEALED), method, { scope, effect: 'mutation' })).toBeUndefined();
  });

  it('answers reads and upkeep without asking', async () => {
    const stored = new StoredSeal(SEALED);
    expect(await refusalOf(stored, 'GET', { scope })).toBeUndefined();
    for (const effect of ['read', 'upkeep', 'allowed-when-sealed'] as const)
      expect(await refusalOf(stored, 'POST', { scope, effect })).toBeUndefined();
    expect(stored.asked).toBe(0);
  });

  it('leaves who lacks the scope to hear about that', async () => {
    expect(await refusalOf(new StoredSeal(SEALED), 'POST', { scope }, { scopes: ['packs.read'] })).toBeUndefined();
  });

  it('sealed by configuration needs no database to refuse', async () => {
    const stored = new StoredSeal(UNSEALED);
    expect(await refusalOf(stored, 'POST', { scope }, { byConfiguration: true })).toBe('ERR_PACK_SEALED');
    expect(stored.asked).toBe(0);
    await expect(new CurrentSeal(stored, new FixedClock(), true).of({ tenant: 'acme' })).resolves.toBe(SEALED_BY_CONFIGURATION);
  });
});

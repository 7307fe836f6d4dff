import type { SealView } from '@packs/contracts';
import { RegistryApi } from '../registry-api';
import type { Stack } from '../stack';
import { StellaCommand } from '../stella-command';
import { describeFailure, Steps } from '../steps';
import { showCompliance } from './compliance';
import { showMirror } from './mirror';
import { showPromotion } from './promotion';
import { showSamples } from './samples';
import { showSite } from './site';

/** What every part of the show works with. */
export interface Show {
  readonly stack: Stack;
  /** May do everything in the tenant of the samples. */
  readonly admin: RegistryApi;
  readonly steps: Steps;
  readonly signal: AbortSignal;
  /** The command line of a client of the local Authority, who is logged in. */
  as(clientId: string): Promise<StellaCommand>;
  /** Told of the second stack, which has to end with the first one. */
  readonly beside: Beside;
}

/** Whoever ends the stacks knows of each that runs. */
export interface Beside {
  started(stack: Stack): void;
  stopped(stack: Stack): void;
}

/** What there is to be tried out. */
export interface Shown {
  readonly samples: boolean;
  /** Everything after the samples, up to the site that took them from a kit. */
  readonly thread: boolean;
}

export const NOTHING_SHOWN: Shown = { samples: false, thread: false };

/**
 * The product in front of one's eyes: sample packs on their whole way, each step as a user would take it. What an earlier start did is not done
 * again. That something cannot be shown, for a policy of the user perhaps, is no reason to take the registry down.
 */
export async function showEverything(stack: Stack, signal: AbortSignal, beside: Beside): Promise<Shown> {
  const steps = new Steps(text => process.stdout.write(text));
  if (!stack.ownAuthority) {
    steps.say('\nNo sample is published: tokens come from an Authority that is not this stack.');
    return NOTHING_SHOWN;
  }
  const shown = { ...NOTHING_SHOWN };
  try {
    const admin = await RegistryApi.login(stack, 'acme-admin', signal);
    if ((await admin.get<SealView>('/sealed')).sealed) {
      steps.say('\nNo sample is published: this registry is sealed.');
      return NOTHING_SHOWN;
    }
    const show: Show = { stack, admin, steps, signal, as: logins(stack, steps, signal), beside };
    steps.say('\nSample packs');
    await showSamples(show);
    shown.samples = true;
    steps.say('\nFrom a channel to a mirror, and to a site that no network reaches');
    const pack = await showPromotion(show);
    await showMirror(show);
    await showCompliance(show);
    await showSite(show, pack);
    shown.thread = true;
  } catch (error) {
    if (!signal.aborted) console.error(`\n${describeFailure(error)}\nThe registry runs on.\n`);
  }
  return shown;
}

/** The command line keeps one login at a time. */
function logins(stack: Stack, steps: Steps, signal: AbortSignal): Show['as'] {
  let current: string | undefined;
  return async clientId => {
    const stella = new StellaCommand(stack, clientId, text => steps.say(text), signal);
    if (current !== clientId) await stella.login();
    current = clientId;
    return stella;
  };
}

import {
  JUDGING_COMMANDS,
  questionOf,
  type JudgingCommand,
  type JudgingRequests,
  type ReverifyVersionReply,
  type VerdictQuestion,
  type VerifyAttestationReply,
  type VerifyBundleReply,
} from '@packs/contracts';
import type { CommandBus } from '@packs/ports';

interface JudgingReplies {
  readonly 'verify-bundle': VerifyBundleReply;
  readonly 'reverify-version': ReverifyVersionReply;
  readonly 'verify-attestation': VerifyAttestationReply;
}

/** The version a verdict is about, as far as it is known before. */
interface About {
  readonly packId: string | null;
  readonly version: string | null;
}

/** An answer of the verifier with what it was asked: a verdict is kept together with its question. */
export type Answered<Reply> = Reply & { readonly question: VerdictQuestion };

export async function askVerifier<C extends JudgingCommand>(
  commands: CommandBus,
  command: C,
  request: JudgingRequests[C],
  about: About,
  timeoutMs?: number,
): Promise<Answered<JudgingReplies[C]>> {
  const reply = (await commands.send(JUDGING_COMMANDS[command], request, timeoutMs)) as JudgingReplies[C];
  return { ...reply, question: questionOf(command, request, packOf(reply) ?? about) };
}

function packOf(reply: JudgingReplies[JudgingCommand]): About | null {
  return 'pack' in reply ? reply.pack : null;
}

import { type UseMutationResult, useMutation, useQueryClient } from "@tanstack/react-query";

/**
 * Sends a change and then reads again what it may have changed.
 *
 * @param changes the first words of the query keys to read again
 */
export function useSend<Input, Result>(
  send: (input: Input) => Promise<Result>,
  changes: readonly string[],
  then: (result: Result) => void = () => undefined,
): UseMutationResult<Result, Error, Input> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: send,
    onSuccess: async (result) => {
      then(result);
      await Promise.all(changes.map((noun) => client.invalidateQueries({ queryKey: [noun] })));
    },
  });
}

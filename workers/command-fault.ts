/** What an operator asked for cannot be done; the message is the line that he reads. */
export class CommandFault extends Error {
  override name = "CommandFault";
}

/** How long beyond its lease an instance that fell silent stays registered. */
export const goneInstanceMs = 3_600_000;

/**
 * The work behind {@code vauban mcg} and the guided attacks of {@code vauban query-attack}: a
 * generator of perturbations is taught on surrogates, kept in a file, and guides attacks.
 */
package dev.vauban.cli.generator;

/**
 * The work behind {@code vauban lft}: image sources with victims of their own, the meta-training of
 * a tuner on them, and its tests beside designed optimisers and controls.
 */
package dev.vauban.cli.tuning;

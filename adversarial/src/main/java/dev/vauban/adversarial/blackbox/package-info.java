/**
 * Attacks that see a model through its answers alone: a {@link
 * dev.vauban.adversarial.blackbox.Oracle} gives scores or labels, a {@link
 * dev.vauban.adversarial.blackbox.Campaign} counts every query, and a {@link
 * dev.vauban.adversarial.blackbox.BlackBoxAttack} is a program for one image. Plain arithmetic on
 * arrays: nothing here is traced or differentiated.
 */
package dev.vauban.adversarial.blackbox;

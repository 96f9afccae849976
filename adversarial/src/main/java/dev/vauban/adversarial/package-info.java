/**
 * Attacks and defences: a {@link dev.vauban.adversarial.Ball} says what an attacker may do, an
 * {@link dev.vauban.adversarial.Attack} how it looks for the worst, a {@link
 * dev.vauban.adversarial.Defence} turns a loss into one that holds under attack.
 */
package dev.vauban.adversarial;

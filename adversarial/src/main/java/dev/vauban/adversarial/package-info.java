/** Threat models, attacks and defences. */
package dev.vauban.adversarial;

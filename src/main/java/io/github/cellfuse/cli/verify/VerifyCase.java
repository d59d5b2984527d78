package io.github.cellfuse.cli.verify;

import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import java.util.List;

/**
 * A batch to verify, and the model that runs it.
 *
 * @param name the name in the report
 * @param model the user's model, or a variant of it
 * @param input the batch
 * @param repeat the arguments that make this case again
 */
record VerifyCase(String name, LstmModel model, LstmInput input, List<String> repeat) {}

/* What adapt says of a tensor, as a tensor value. */
#ifndef FONTKEEP_PYTHON_TO_TENSOR_H
#define FONTKEEP_PYTHON_TO_TENSOR_H

#include "to_value.h"

/* `answer` is adapt's tuple ("tensor", ...) for `object`. NULL with an exception. */
fk_value *fkpy_to_tensor(fkpy_writer *writer, PyObject *object, PyObject *answer,
                         const fkpy_place *place);

#endif

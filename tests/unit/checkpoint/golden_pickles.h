/* What torch.save of PyTorch 2.13 writes into data.pkl for the values that test_pickle_write.c
 * builds. */
#ifndef FK_TEST_GOLDEN_PICKLES_H
#define FK_TEST_GOLDEN_PICKLES_H

/* clang-format off */
static const char golden_none[] =
    "\200\002N.";

static const char golden_numbers[] =
    "\200\002]q\000(K\000K\377M\000\001M\377\377J\000\000\001\000J\377\377\377\377J\377"
    "\377\377\177J\000\000\000\200\212\005\000\000\000\200\000\212\005\377\377\377\177"
    "\377\212\010\377\377\377\377\377\377\377\177\212\010\000\000\000\000\000\000\000\200"
    "\212\011\000\000\000\000\000\000\000\200\000\212\011\000\000\000\000\000\000\000\000"
    "\200\210\211G?\271\231\231\231\231\231\232e.";

static const char golden_two[] =
    "\200\002ccollections\nOrderedDict\nq\000)Rq\001(X\001\000\000\000wq\002ctorch._utils"
    "\n_rebuild_tensor_v2\nq\003((X\007\000\000\000storageq\004ctorch\nFloatStorage\nq"
    "\005X\001\000\000\0000q\006X\003\000\000\000cpuq\007K\006tq\010QK\000K\002K\003\206q"
    "\011K\003K\001\206q\n\211h\000)Rq\013tq\014Rq\015X\001\000\000\000bq\016h\003((h\004"
    "h\005X\001\000\000\0001q\017h\007K\003tq\020QK\000K\003\205q\021K\001\205q\022\211h"
    "\000)Rq\023tq\024Rq\025u.";

static const char golden_meta[] =
    "\200\002ccollections\nOrderedDict\nq\000)Rq\001X\001\000\000\000kq\002K\001s}q\003X"
    "\011\000\000\000_metadataq\004h\000)Rq\005X\000\000\000\000q\006}q\007X\007\000\000"
    "\000versionq\010K\001sssb.";

static const char golden_bytes[] =
    "\200\002]q\000(c_codecs\nencode\nq\001X\003\000\000\000\000\302\200q\002X\006\000"
    "\000\000latin1q\003\206q\004Rq\005c__builtin__\nbytearray\nq\006h\001X\002\000\000"
    "\000abq\007h\003\206q\010Rq\011\205q\nRq\013h\006)Rq\014h\001X\001\000\000\000aq\015"
    "h\003\206q\016Rq\017h\017e.";

static const char golden_misc[] =
    "\200\002]q\000(ctorch\ndevice\nq\001X\004\000\000\000cudaq\002K\001\206q\003Rq\004h"
    "\001X\003\000\000\000cpuq\005\205q\006Rq\007ctorch.serialization\n_get_layout\nq\010"
    "X\015\000\000\000torch.stridedq\011\205q\nRq\013h\013ctorch\nfloat16\nq\014h\014ctor"
    "ch\nSize\nq\015(K\001K\002K\003K\004tq\016\205q\017Rq\020h\015)\205q\021Rq\022ctorch"
    "\nper_tensor_affine\nq\023c__builtin__\nset\nq\024]q\025K\001a\205q\026Rq\027h\024]q"
    "\030\205q\031Rq\032c__builtin__\ncomplex\nq\033G?\360\000\000\000\000\000\000G@\000"
    "\000\000\000\000\000\000\206q\034Rq\035ccollections\nCounter\nq\036}q\037X\001\000"
    "\000\000aq K\001s\205q!Rq\")K\001\205q#(K\001K\002K\003K\004tq$}q%e.";

static const char golden_param[] =
    "\200\002ctorch._utils\n_rebuild_parameter\nq\000ctorch._utils\n_rebuild_tensor_v2\nq"
    "\001((X\007\000\000\000storageq\002ctorch\nFloatStorage\nq\003X\001\000\000\0000q"
    "\004X\003\000\000\000cpuq\005K\002tq\006QK\000K\002\205q\007K\001\205q\010\211ccolle"
    "ctions\nOrderedDict\nq\011)Rq\ntq\013Rq\014\210h\011)Rq\015\207q\016Rq\017.";

static const char golden_paramstate[] =
    "\200\002ctorch._utils\n_rebuild_parameter_with_state\nq\000(ctorch._utils\n_rebuild_"
    "tensor_v2\nq\001((X\007\000\000\000storageq\002ctorch\nFloatStorage\nq\003X\001\000"
    "\000\0000q\004X\003\000\000\000cpuq\005K\002tq\006QK\000K\002\205q\007K\001\205q\010"
    "\211ccollections\nOrderedDict\nq\011)Rq\ntq\013Rq\014\210h\011)Rq\015}q\016X\003\000"
    "\000\000fooq\017K\001stq\020Rq\021.";

static const char golden_tensorstate[] =
    "\200\002ctorch._tensor\n_rebuild_from_type_v2\nq\000(ctorch._utils\n_rebuild_tensor_"
    "v2\nq\001ctorch\nTensor\nq\002((X\007\000\000\000storageq\003ctorch\nFloatStorage\nq"
    "\004X\001\000\000\0000q\005X\003\000\000\000cpuq\006K\002tq\007QK\000K\002\205q\010K"
    "\001\205q\011\211ccollections\nOrderedDict\nq\n)Rq\013tq\014}q\015X\003\000\000\000b"
    "arq\016K\002stq\017Rq\020.";

static const char golden_conj[] =
    "\200\002ctorch._utils\n_rebuild_tensor_v2\nq\000((X\007\000\000\000storageq\001ctorc"
    "h\nComplexFloatStorage\nq\002X\001\000\000\0000q\003X\003\000\000\000cpuq\004K\001tq"
    "\005QK\000))\211ccollections\nOrderedDict\nq\006)Rq\007}q\010X\004\000\000\000conjq"
    "\011\210stq\nRq\013.";

static const char golden_neg[] =
    "\200\002ctorch._utils\n_rebuild_tensor_v2\nq\000((X\007\000\000\000storageq\001ctorc"
    "h\nFloatStorage\nq\002X\001\000\000\0000q\003X\003\000\000\000cpuq\004K tq\005QK\001"
    "(K\002K\002K\002K\002tq\006(K\020K\010K\004K\002tq\007\211ccollections\nOrderedDict"
    "\nq\010)Rq\011}q\nX\003\000\000\000negq\013\210stq\014Rq\015.";

static const char golden_u16[] =
    "\200\002ctorch._utils\n_rebuild_tensor_v3\nq\000((X\007\000\000\000storageq\001ctorc"
    "h.storage\nUntypedStorage\nq\002X\001\000\000\0000q\003X\003\000\000\000cpuq\004K"
    "\004tq\005QK\000K\002\205q\006K\001\205q\007\211ccollections\nOrderedDict\nq\010)Rq"
    "\011ctorch\nuint16\nq\ntq\013Rq\014.";

static const char golden_cycle[] =
    "\200\002]q\000h\000a.";

static const char golden_conjneg[] =
    "\200\002ctorch._utils\n_rebuild_tensor_v2\nq\000((X\007\000\000\000storageq\001ctorc"
    "h\nComplexFloatStorage\nq\002X\001\000\000\0000q\003X\003\000\000\000cpuq\004K\002tq"
    "\005QK\000K\002\205q\006K\001\205q\007\211ccollections\nOrderedDict\nq\010)Rq\011}q"
    "\n(X\003\000\000\000negq\013\210X\004\000\000\000conjq\014\210utq\015Rq\016.";

/* clang-format on */

#endif
